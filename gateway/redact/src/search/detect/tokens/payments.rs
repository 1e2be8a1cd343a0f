//! Keys of payment providers and shops.

use super::super::token::{Token, token};
use super::{alnum, hex, padded, url, uuid};

pub(super) const TOKENS: &[Token] = &[
    token("Stripe secret", "sk_live_", alnum, (20, 255))
        .from("Stripe, 'API keys'; Paystack, 'Authentication'"),
    token("Stripe secret, test", "sk_test_", alnum, (20, 255))
        .from("Stripe, 'API keys'; Paystack, 'Authentication'"),
    token("Stripe restricted", "rk_live_", alnum, (20, 255))
        .from("Stripe, 'API keys'; Paystack, 'Authentication'"),
    token("Stripe restricted, test", "rk_test_", alnum, (20, 255))
        .from("Stripe, 'API keys'; Paystack, 'Authentication'"),
    token("Webhook signing", "whsec_", padded, (24, 128))
        .from("Stripe, 'Receive events in your webhook endpoint'; Standard Webhooks"),
    token("Square access", "EAAA", url, (60, 60))
        .from("Square, 'Access tokens and other credentials'"),
    token("Square access, old", "sq0atp-", url, (22, 64))
        .from("Square, 'Access tokens and other credentials'"),
    token("Square OAuth secret", "sq0csp-", url, (43, 64))
        .from("Square, 'Access tokens and other credentials'"),
    token("Shopify access", "shpat_", hex, (32, 64))
        .from("Shopify, 'Authentication and authorization'; its changelog"),
    token("Shopify custom app", "shpca_", hex, (32, 64))
        .from("Shopify, 'Authentication and authorization'; its changelog"),
    token("Shopify private app", "shppa_", hex, (32, 64))
        .from("Shopify, 'Authentication and authorization'; its changelog"),
    token("Shopify shared secret", "shpss_", hex, (32, 64))
        .from("Shopify, 'Authentication and authorization'; its changelog"),
    token("Braintree", "access_token$production$", braintree, (40, 64))
        .from("Braintree, 'Access tokens'"),
    token("Flutterwave", "FLWSECK-", url, (32, 48))
        .from("Flutterwave, 'Authentication', secret keys"),
    token("Flutterwave, test", "FLWSECK_TEST-", url, (32, 48))
        .from("Flutterwave, 'Authentication', secret keys"),
    token("Plaid", "access-production-", uuid, (36, 36)).from("Plaid, 'Access tokens'"),
    token("EasyPost", "EZAK", alnum, (54, 54)).from("EasyPost, 'API keys'"),
    token("EasyPost, test", "EZTK", alnum, (54, 54)).from("EasyPost, 'API keys'"),
    token("Shippo", "shippo_live_", hex, (40, 40)).from("Shippo, 'Authentication'"),
    token("Shippo, test", "shippo_test_", hex, (40, 40)).from("Shippo, 'Authentication'"),
    token("Duffel", "duffel_live_", url, (40, 64)).from("Duffel, 'Making requests'"),
];

const fn braintree(byte: u8) -> bool {
    alnum(byte) || byte == b'$'
}
