//! Tokens of clouds and hosting providers. AWS, Azure and Google Cloud have detectors of their own.

use super::super::token::{LONG, Token, token};
use super::{alnum, hex, padded, url, uuid};

pub(super) const TOKENS: &[Token] = &[
    token("DigitalOcean personal", "dop_v1_", hex, (64, 64))
        .from("DigitalOcean, API reference, 'Authentication'"),
    token("DigitalOcean OAuth", "doo_v1_", hex, (64, 64))
        .from("DigitalOcean, API reference, 'Authentication'"),
    token("DigitalOcean refresh", "dor_v1_", hex, (64, 64))
        .from("DigitalOcean, API reference, 'Authentication'"),
    token("Heroku", "HRKU-", url, (36, 80)).from("Heroku, changelog, 'New token format'"),
    token("Fly.io", "fo1_", url, (40, 64)).from("Fly.io, 'Access tokens'"),
    token("Fly.io macaroon", "fm2_", padded, (100, LONG)).from("Fly.io, 'Access tokens'"),
    token("Alibaba access key", "LTAI", alnum, (12, 20))
        .from("Alibaba Cloud, 'Create an AccessKey pair'; Tencent Cloud, 'Access key'"),
    token("Tencent secret id", "AKID", alnum, (32, 32))
        .from("Alibaba Cloud, 'Create an AccessKey pair'; Tencent Cloud, 'Access key'"),
    token("PlanetScale service", "pscale_tkn_", url, (32, 64))
        .from("PlanetScale, 'Service tokens' and 'Connection strings'"),
    token("PlanetScale password", "pscale_pw_", url, (32, 64))
        .from("PlanetScale, 'Service tokens' and 'Connection strings'"),
    token("PlanetScale OAuth", "pscale_oauth_", url, (32, 64))
        .from("PlanetScale, 'Service tokens' and 'Connection strings'"),
    token("Supabase access", "sbp_", hex, (40, 40))
        .from("Supabase, 'Access tokens' and 'API keys'"),
    token("Supabase secret", "sb_secret_", url, (30, 64))
        .from("Supabase, 'Access tokens' and 'API keys'"),
    token("Netlify", "nfp_", alnum, (36, 64)).from("Netlify, 'Personal access tokens'"),
    token("Render", "rnd_", alnum, (28, 64)).from("Render, 'The Render API'"),
    token("Neon", "napi_", alnum, (60, 80)).from("Neon, 'Manage API keys'"),
    token("MongoDB Atlas", "mdb_sa_sk_", url, (40, 64)).from("MongoDB Atlas, 'Service accounts'"),
    token("Aiven", "AVNS_", url, (16, 64)).from("Aiven, passwords of service users"),
    token("Cloudflare origin CA", "v1.0-", uuid, (171, 171)).from("Cloudflare, 'Origin CA keys'"),
    token("Yandex Cloud", "AQVN", url, (35, 64)).from("Yandex Cloud, 'API keys'"),
    token("Azure, annotated", "JQQJ99", alnum, (26, 32))
        .after(alnum, 52, 52)
        .from("Microsoft, 'Common annotated security keys'"),
];
