//! Tokens of monitoring, of development tools and of clusters.

use super::super::token::{LONG, Token, token};
use super::{alnum, hex, padded, upper, url, uuid, word};

pub(super) const TOKENS: &[Token] = &[
    // Grafana, "Service accounts", "Cloud access policies" and the API keys before them.
    token("Grafana service account", "glsa_", word, (41, 41)),
    token("Grafana Cloud", "glc_", padded, (32, 500)),
    token("Grafana API key", "eyJrIjoi", padded, (60, 500)),
    // New Relic, "API keys": user, licence, insights, browser and rest keys.
    token("New Relic user", "NRAK-", alnum, (27, 27)),
    token("New Relic licence", "NRAL", alnum, (0, 0)).after(alnum, 36, 36),
    token("New Relic insert", "NRII-", url, (32, 32)),
    token("New Relic query", "NRIQ-", url, (32, 32)),
    token("New Relic browser", "NRJS-", hex, (19, 19)),
    // Databricks, "Personal access tokens".
    token("Databricks", "dapi", hex, (32, 32)),
    // Linear, "API and webhooks".
    token("Linear", "lin_api_", alnum, (40, 64)),
    token("Linear OAuth", "lin_oauth_", alnum, (40, 80)),
    // K3s, "token": secure format, the digest of the certificate and the credentials.
    token("k3s", "K10", cluster, (72, 200)).only_if(is_secure),
    // Sentry, "Auth tokens": of organisations and of users.
    token("Sentry organisation", "sntrys_", sentry, (60, LONG)),
    token("Sentry user", "sntryu_", hex, (64, 64)),
    // Dynatrace, "Access tokens": identifier and secret.
    token("Dynatrace", "dt0c01.", dynatrace, (89, 89)),
    // Postman, "Generate and use Postman API keys".
    token("Postman", "PMAK-", uuid, (59, 59)),
    // Figma, "Manage personal access tokens".
    token("Figma", "figd_", url, (40, 64)),
    // HubSpot, "Private apps".
    token("HubSpot, North America", "pat-na1-", uuid, (36, 36)),
    token("HubSpot, Europe", "pat-eu1-", uuid, (36, 36)),
    // Tailscale, "Key prefixes".
    token("Tailscale", "tskey-", url, (24, 96)),
    // Contentful, "Personal access tokens".
    token("Contentful", "CFPAT-", url, (43, 43)),
    // SonarQube, "Generating and using tokens".
    token("SonarQube project", "sqp_", hex, (40, 40)),
    token("SonarQube user", "squ_", hex, (40, 40)),
    token("SonarQube analysis", "sqa_", hex, (40, 40)),
    // Typeform, "Personal access token".
    token("Typeform", "tfp_", url, (40, 80)),
    // Honeycomb, "API keys": ingest and management.
    token("Honeycomb ingest", "hcaik_", alnum, (58, 58)),
    token("Honeycomb management", "hcxmk_", alnum, (58, 58)),
    // Prefect, "Manage API keys".
    token("Prefect user", "pnu_", alnum, (36, 36)),
    token("Prefect bot", "pnb_", alnum, (36, 36)),
    // LaunchDarkly, "SDK keys".
    token("LaunchDarkly", "sdk-", uuid, (36, 36)),
    // ReadMe, "API keys".
    token("ReadMe", "rdme_", alnum, (70, 72)),
    // Snyk, "Authentication for API": service accounts and users.
    token("Snyk service account", "snyk_sat.", url, (32, 128)),
    token("Snyk user", "snyk_uat.", url, (32, 128)),
];

const fn cluster(byte: u8) -> bool {
    url(byte) || byte == b':'
}

const fn sentry(byte: u8) -> bool {
    padded(byte) || byte == b'_'
}

const fn dynatrace(byte: u8) -> bool {
    upper(byte) || byte == b'.'
}

/// `K10`, 64 hex digits, `::`, and what opens the cluster.
fn is_secure(token: &[u8]) -> bool {
    let digest = token.get(3..67);
    digest.is_some_and(|digest| digest.iter().all(u8::is_ascii_hexdigit))
        && token.get(67..69) == Some(b"::")
}
