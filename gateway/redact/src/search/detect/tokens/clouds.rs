//! Tokens of clouds and hosting providers. AWS, Azure and Google Cloud have detectors of their own.

use super::super::token::{LONG, Token, token};
use super::{alnum, hex, padded, url, uuid};

pub(super) const TOKENS: &[Token] = &[
    // DigitalOcean, API reference, "Authentication": personal, OAuth and refresh tokens.
    token("DigitalOcean personal", "dop_v1_", hex, (64, 64)),
    token("DigitalOcean OAuth", "doo_v1_", hex, (64, 64)),
    token("DigitalOcean refresh", "dor_v1_", hex, (64, 64)),
    // Heroku, changelog, "New token format".
    token("Heroku", "HRKU-", url, (36, 80)),
    // Fly.io, "Access tokens".
    token("Fly.io", "fo1_", url, (40, 64)),
    token("Fly.io macaroon", "fm2_", padded, (100, LONG)),
    // Alibaba Cloud, "Create an AccessKey pair"; Tencent Cloud, "Access key".
    token("Alibaba access key", "LTAI", alnum, (12, 20)),
    token("Tencent secret id", "AKID", alnum, (32, 32)),
    // PlanetScale, "Service tokens" and "Connection strings".
    token("PlanetScale service", "pscale_tkn_", url, (32, 64)),
    token("PlanetScale password", "pscale_pw_", url, (32, 64)),
    token("PlanetScale OAuth", "pscale_oauth_", url, (32, 64)),
    // Supabase, "Access tokens" and "API keys".
    token("Supabase access", "sbp_", hex, (40, 40)),
    token("Supabase secret", "sb_secret_", url, (30, 64)),
    // Netlify, "Personal access tokens".
    token("Netlify", "nfp_", alnum, (36, 64)),
    // Render, "The Render API".
    token("Render", "rnd_", alnum, (28, 64)),
    // Neon, "Manage API keys".
    token("Neon", "napi_", alnum, (60, 80)),
    // MongoDB Atlas, "Service accounts".
    token("MongoDB Atlas", "mdb_sa_sk_", url, (40, 64)),
    // Aiven, passwords of service users.
    token("Aiven", "AVNS_", url, (16, 64)),
    // Cloudflare, "Origin CA keys".
    token("Cloudflare origin CA", "v1.0-", uuid, (171, 171)),
    // Yandex Cloud, "API keys".
    token("Yandex Cloud", "AQVN", url, (35, 64)),
    // Microsoft, "Common annotated security keys": Azure DevOps, OpenAI, storage and others.
    token("Azure, annotated", "JQQJ99", alnum, (26, 32)).after(alnum, 52, 52),
];
