//! Tokens of monitoring, of development tools and of clusters.

use super::super::token::{LONG, Token, token};
use super::{alnum, hex, padded, upper, url, uuid, word};

pub(super) const TOKENS: &[Token] = &[
    token("Grafana service account", "glsa_", word, (41, 41))
        .from("Grafana, 'Service accounts'")
        .with_checksum("CRC-32 in hex, the last 8"),
    token("Grafana Cloud", "glc_", padded, (32, 500))
        .from("Grafana, 'Cloud access policies' and 'API keys'"),
    token("Grafana API key", "eyJrIjoi", padded, (60, 500))
        .from("Grafana, 'Cloud access policies' and 'API keys'"),
    token("New Relic user", "NRAK-", alnum, (27, 27)).from("New Relic, 'API keys'"),
    token("New Relic licence", "NRAL", alnum, (0, 0))
        .after(alnum, 36, 36)
        .from("New Relic, 'API keys'"),
    token("New Relic insert", "NRII-", url, (32, 32)).from("New Relic, 'API keys'"),
    token("New Relic query", "NRIQ-", url, (32, 32)).from("New Relic, 'API keys'"),
    token("New Relic browser", "NRJS-", hex, (19, 19)).from("New Relic, 'API keys'"),
    token("Databricks", "dapi", hex, (32, 32)).from("Databricks, 'Personal access tokens'"),
    token("Linear", "lin_api_", alnum, (40, 64)).from("Linear, 'API and webhooks'"),
    token("Linear OAuth", "lin_oauth_", alnum, (40, 80)).from("Linear, 'API and webhooks'"),
    token("k3s", "K10", cluster, (72, 200))
        .only_if(is_secure)
        .from("K3s, 'token', secure format"),
    token("Sentry organisation", "sntrys_", sentry, (60, LONG)).from("Sentry, 'Auth tokens'"),
    token("Sentry user", "sntryu_", hex, (64, 64)).from("Sentry, 'Auth tokens'"),
    token("Dynatrace", "dt0c01.", dynatrace, (89, 89)).from("Dynatrace, 'Access tokens'"),
    token("Postman", "PMAK-", uuid, (59, 59)).from("Postman, 'Generate and use Postman API keys'"),
    token("Figma", "figd_", url, (40, 64)).from("Figma, 'Manage personal access tokens'"),
    token("HubSpot, North America", "pat-na1-", uuid, (36, 36)).from("HubSpot, 'Private apps'"),
    token("HubSpot, Europe", "pat-eu1-", uuid, (36, 36)).from("HubSpot, 'Private apps'"),
    token("Tailscale", "tskey-", url, (24, 96)).from("Tailscale, 'Key prefixes'"),
    token("Contentful", "CFPAT-", url, (43, 43)).from("Contentful, 'Personal access tokens'"),
    token("SonarQube project", "sqp_", hex, (40, 40))
        .from("SonarQube, 'Generating and using tokens'"),
    token("SonarQube user", "squ_", hex, (40, 40)).from("SonarQube, 'Generating and using tokens'"),
    token("SonarQube analysis", "sqa_", hex, (40, 40))
        .from("SonarQube, 'Generating and using tokens'"),
    token("Typeform", "tfp_", url, (40, 80)).from("Typeform, 'Personal access token'"),
    token("Honeycomb ingest", "hcaik_", alnum, (58, 58)).from("Honeycomb, 'API keys'"),
    token("Honeycomb management", "hcxmk_", alnum, (58, 58)).from("Honeycomb, 'API keys'"),
    token("Prefect user", "pnu_", alnum, (36, 36)).from("Prefect, 'Manage API keys'"),
    token("Prefect bot", "pnb_", alnum, (36, 36)).from("Prefect, 'Manage API keys'"),
    token("LaunchDarkly", "sdk-", uuid, (36, 36)).from("LaunchDarkly, 'SDK keys'"),
    token("ReadMe", "rdme_", alnum, (70, 72)).from("ReadMe, 'API keys'"),
    token("Snyk service account", "snyk_sat.", url, (32, 128))
        .from("Snyk, 'Authentication for API'"),
    token("Snyk user", "snyk_uat.", url, (32, 128)).from("Snyk, 'Authentication for API'"),
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
