import { createHmac, timingSafeEqual } from "node:crypto";

const TOLERANCE_SECONDS = 300;

/** The event if the delivery is genuine and new, else null. `body` is a Buffer, as it came. */
export function verified(secret, headers, body, now = Date.now() / 1000) {
  const message = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  const signatures = (headers["webhook-signature"] ?? "").split(" ");
  if (!/^\d+$/.test(timestamp) || Math.abs(now - Number(timestamp)) > TOLERANCE_SECONDS) return null;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const digest = createHmac("sha256", key).update(`${message}.${timestamp}.`).update(body).digest("base64");
  const expected = Buffer.from(`v1,${digest}`);
  // While a secret is being replaced there are several signatures. One that fits is enough.
  const fits = (signature) => signature.length === expected.length && timingSafeEqual(signature, expected);
  return signatures.some((signature) => fits(Buffer.from(signature))) ? JSON.parse(body) : null;
}
