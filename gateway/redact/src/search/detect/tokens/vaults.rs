//! Tokens of stores of secrets and of what provisions infrastructure.

use super::super::token::{LONG, Token, token};
use super::{alnum, dotted, hex, padded, upper, url};

pub(super) const TOKENS: &[Token] = &[
    token("Vault service", "hvs.", url, (24, LONG))
        .from("HashiCorp Vault, 'Tokens', token prefixes"),
    token("Vault batch", "hvb.", url, (24, LONG)).from("HashiCorp Vault, 'Tokens', token prefixes"),
    token("Vault recovery", "hvr.", url, (24, LONG))
        .from("HashiCorp Vault, 'Tokens', token prefixes"),
    token("Terraform", ".atlasv1.", url, (60, 80))
        .after(alnum, 14, 14)
        .from("HCP Terraform, 'API tokens'"),
    token("Pulumi", "pul-", hex, (40, 40)).from("Pulumi Cloud, 'Access tokens'"),
    token("Doppler personal", "dp.pt.", alnum, (40, 64)).from("Doppler, 'Auth token formats'"),
    token("Doppler CLI", "dp.ct.", alnum, (40, 64)).from("Doppler, 'Auth token formats'"),
    token("Doppler service", "dp.st.", dotted, (40, 128)).from("Doppler, 'Auth token formats'"),
    token("Doppler service account", "dp.sa.", alnum, (40, 64))
        .from("Doppler, 'Auth token formats'"),
    token("Doppler SCIM", "dp.scim.", alnum, (40, 64)).from("Doppler, 'Auth token formats'"),
    token("Doppler audit", "dp.audit.", alnum, (40, 64)).from("Doppler, 'Auth token formats'"),
    token("1Password service account", "ops_eyJ", padded, (200, LONG))
        .from("1Password, 'Service accounts' and 'About your Secret Key'"),
    token("1Password secret key", "A3-", secret_key, (36, 38))
        .only_if(|key| key.split(|&byte| byte == b'-').count() >= 6)
        .from("1Password, 'Service accounts' and 'About your Secret Key'"),
];

const fn secret_key(byte: u8) -> bool {
    upper(byte) || byte == b'-'
}
