"""What searching and offers can refuse."""

from app.core.errors import Conflict, Gone, NotFound


class OfferNotFound(NotFound):
    code = "offer_not_found"
    title = "This is not an offer of ours"


class OfferExpired(Gone):
    code = "offer_expired"
    title = "The offer has expired; search again"


class SoldOut(Conflict):
    code = "sold_out"
    title = "There are not enough seats left"


class FlightNotOnSale(Conflict):
    code = "flight_not_on_sale"
    title = "A flight of this offer can no longer be sold"


class PriceChanged(Conflict):
    """Carries `offer`, the same itinerary at today's price."""

    code = "price_changed"
    title = "The fare has changed; here is the new offer"
