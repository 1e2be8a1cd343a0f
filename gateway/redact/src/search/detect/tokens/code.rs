//! Tokens of code hosts and build services, and of package registries. GitHub's have a detector of their own.

use super::super::token::{LONG, Token, token};
use super::{alnum, dotted, hex, lower, padded, url, word};

pub(super) const HOSTS: &[Token] = &[
    // GitLab, "Token overview", token prefixes.
    token("GitLab personal", "glpat-", dotted, (20, 300)),
    token("GitLab deploy", "gldt-", dotted, (20, 300)),
    token("GitLab runner", "glrt-", dotted, (20, 300)),
    token("GitLab runner, registered", "glrtr-", dotted, (20, 300)),
    token("GitLab job", "glcbt-", dotted, (20, LONG)),
    token("GitLab trigger", "glptt-", dotted, (20, 300)),
    token("GitLab feed", "glft-", dotted, (20, 300)),
    token("GitLab mail", "glimt-", dotted, (20, 300)),
    token("GitLab agent", "glagent-", dotted, (20, 300)),
    token("GitLab application", "gloas-", dotted, (20, 300)),
    token("GitLab SCIM", "glsoat-", dotted, (20, 300)),
    token("GitLab feature flags", "glffct-", dotted, (20, 300)),
    token("GitLab workspace", "glwt-", dotted, (20, 300)),
    token("GitLab runner, old", "GR1348941", url, (20, 20)),
    // Atlassian, "Manage API tokens" and Bitbucket, "App passwords" and "Access tokens".
    token("Bitbucket app password", "ATBB", alnum, (32, 32)),
    token("Bitbucket access", "ATCTT3xFfG", atlassian, (60, 300)),
    token("Atlassian", "ATATT3xFfG", atlassian, (60, 300)),
    // Sourcegraph, documentation, "Access tokens".
    token("Sourcegraph", "sgp_", word, (40, 80)),
    // CircleCI, "Managing API tokens".
    token("CircleCI personal", "CCIPAT_", word, (40, 80)),
    token("CircleCI project", "CCIPRJ_", word, (40, 80)),
    // Buildkite, "Managing API access tokens".
    token("Buildkite", "bkua_", hex, (40, 40)),
];

pub(super) const REGISTRIES: &[Token] = &[
    // npm, "About access tokens"; GitHub's blog on its new token format describes the checksum at the end.
    token("npm", "npm_", alnum, (36, 255)),
    // PyPI, "API tokens": a macaroon that begins with the host's name.
    token("PyPI", "pypi-AgE", url, (50, LONG)),
    // Docker, "Personal access tokens" and "Organization access tokens".
    token("Docker Hub personal", "dckr_pat_", url, (24, 64)),
    token("Docker Hub organisation", "dckr_oat_", url, (24, 64)),
    // RubyGems, guides, "API key scopes".
    token("RubyGems", "rubygems_", hex, (48, 48)),
    // crates.io, source of its tokens' format.
    token("crates.io", "cio", alnum, (32, 32)),
    // NuGet, "Publish a package", API keys.
    token("NuGet", "oy2", lower, (43, 43)),
    // Clojars, wiki, "Deploy tokens".
    token("Clojars", "CLOJARS_", hex, (60, 60)),
    // JFrog, "API key" and "Reference token".
    token("JFrog API key", "AKCp", alnum, (69, 73)),
    token("JFrog reference", "cmVmdGtu", alnum, (56, 64)),
];

const fn atlassian(byte: u8) -> bool {
    url(byte) || padded(byte)
}
