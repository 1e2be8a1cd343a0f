//! Keys of payment providers and shops.

use super::super::token::{Token, token};
use super::{alnum, hex, padded, url, uuid};

pub(super) const TOKENS: &[Token] = &[
    // Stripe, "API keys"; Paystack's keys begin alike ("Authentication" in its API reference).
    token("Stripe secret", "sk_live_", alnum, (20, 255)),
    token("Stripe secret, test", "sk_test_", alnum, (20, 255)),
    token("Stripe restricted", "rk_live_", alnum, (20, 255)),
    token("Stripe restricted, test", "rk_test_", alnum, (20, 255)),
    // Stripe, "Receive events in your webhook endpoint"; the same form in Standard Webhooks.
    token("Webhook signing", "whsec_", padded, (24, 128)),
    // Square, "Access tokens and other credentials".
    token("Square access", "EAAA", url, (60, 60)),
    token("Square access, old", "sq0atp-", url, (22, 64)),
    token("Square OAuth secret", "sq0csp-", url, (43, 64)),
    // Shopify, "Authentication and authorization", access tokens; its changelog names the prefixes.
    token("Shopify access", "shpat_", hex, (32, 64)),
    token("Shopify custom app", "shpca_", hex, (32, 64)),
    token("Shopify private app", "shppa_", hex, (32, 64)),
    token("Shopify shared secret", "shpss_", hex, (32, 64)),
    // Braintree, "Access tokens".
    token("Braintree", "access_token$production$", braintree, (40, 64)),
    // Flutterwave, "Authentication", secret keys.
    token("Flutterwave", "FLWSECK-", url, (32, 48)),
    token("Flutterwave, test", "FLWSECK_TEST-", url, (32, 48)),
    // Plaid, "Access tokens".
    token("Plaid", "access-production-", uuid, (36, 36)),
    // EasyPost, "API keys".
    token("EasyPost", "EZAK", alnum, (54, 54)),
    token("EasyPost, test", "EZTK", alnum, (54, 54)),
    // Shippo, "Authentication".
    token("Shippo", "shippo_live_", hex, (40, 40)),
    token("Shippo, test", "shippo_test_", hex, (40, 40)),
    // Duffel, "Making requests".
    token("Duffel", "duffel_live_", url, (40, 64)),
];

const fn braintree(byte: u8) -> bool {
    alnum(byte) || byte == b'$'
}
