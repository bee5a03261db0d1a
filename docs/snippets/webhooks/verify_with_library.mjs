import { Webhook } from "standardwebhooks";

/** The event if the delivery is genuine and new, else null. */
export function verified(secret, headers, body) {
  try {
    return new Webhook(secret).verify(body.toString(), headers);
  } catch {
    return null;
  }
}
