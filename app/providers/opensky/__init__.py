"""The OpenSky Network: where aircraft are. https://openskynetwork.github.io/opensky-api/"""
