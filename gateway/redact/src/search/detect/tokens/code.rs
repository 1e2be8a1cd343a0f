//! Tokens of code hosts and build services, and of package registries. GitHub's have a detector of their own.

use super::super::token::{LONG, Token, token};
use super::{alnum, dotted, hex, lower, padded, url, word};

pub(super) const HOSTS: &[Token] = &[
    token("GitLab personal", "glpat-", dotted, (20, 300))
        .from("GitLab, 'Token overview', token prefixes"),
    token("GitLab deploy", "gldt-", dotted, (20, 300))
        .from("GitLab, 'Token overview', token prefixes"),
    token("GitLab runner", "glrt-", dotted, (20, 300))
        .from("GitLab, 'Token overview', token prefixes"),
    token("GitLab runner, registered", "glrtr-", dotted, (20, 300))
        .from("GitLab, 'Token overview', token prefixes"),
    token("GitLab job", "glcbt-", dotted, (20, LONG))
        .from("GitLab, 'Token overview', token prefixes"),
    token("GitLab trigger", "glptt-", dotted, (20, 300))
        .from("GitLab, 'Token overview', token prefixes"),
    token("GitLab feed", "glft-", dotted, (20, 300))
        .from("GitLab, 'Token overview', token prefixes"),
    token("GitLab mail", "glimt-", dotted, (20, 300))
        .from("GitLab, 'Token overview', token prefixes"),
    token("GitLab agent", "glagent-", dotted, (20, 300))
        .from("GitLab, 'Token overview', token prefixes"),
    token("GitLab application", "gloas-", dotted, (20, 300))
        .from("GitLab, 'Token overview', token prefixes"),
    token("GitLab SCIM", "glsoat-", dotted, (20, 300))
        .from("GitLab, 'Token overview', token prefixes"),
    token("GitLab feature flags", "glffct-", dotted, (20, 300))
        .from("GitLab, 'Token overview', token prefixes"),
    token("GitLab workspace", "glwt-", dotted, (20, 300))
        .from("GitLab, 'Token overview', token prefixes"),
    token("GitLab runner, old", "GR1348941", url, (20, 20))
        .from("GitLab, 'Token overview', token prefixes"),
    token("Bitbucket app password", "ATBB", alnum, (32, 32))
        .from("Atlassian, 'Manage API tokens'; Bitbucket, 'App passwords' and 'Access tokens'"),
    token("Bitbucket access", "ATCTT3xFfG", atlassian, (60, 300))
        .from("Atlassian, 'Manage API tokens'; Bitbucket, 'App passwords' and 'Access tokens'"),
    token("Atlassian", "ATATT3xFfG", atlassian, (60, 300))
        .from("Atlassian, 'Manage API tokens'; Bitbucket, 'App passwords' and 'Access tokens'"),
    token("Sourcegraph", "sgp_", word, (40, 80))
        .from("Sourcegraph, documentation, 'Access tokens'"),
    token("CircleCI personal", "CCIPAT_", word, (40, 80)).from("CircleCI, 'Managing API tokens'"),
    token("CircleCI project", "CCIPRJ_", word, (40, 80)).from("CircleCI, 'Managing API tokens'"),
    token("Buildkite", "bkua_", hex, (40, 40)).from("Buildkite, 'Managing API access tokens'"),
];

pub(super) const REGISTRIES: &[Token] = &[
    token("npm", "npm_", alnum, (36, 255))
        .from("npm, 'About access tokens'; GitHub's blog on its token formats")
        .with_checksum("CRC-32 in base62, the last 6"),
    token("PyPI", "pypi-AgE", url, (50, LONG)).from("PyPI, 'API tokens'"),
    token("Docker Hub personal", "dckr_pat_", url, (24, 64))
        .from("Docker, 'Personal access tokens' and 'Organization access tokens'"),
    token("Docker Hub organisation", "dckr_oat_", url, (24, 64))
        .from("Docker, 'Personal access tokens' and 'Organization access tokens'"),
    token("RubyGems", "rubygems_", hex, (48, 48)).from("RubyGems, guides, 'API key scopes'"),
    token("crates.io", "cio", alnum, (32, 32)).from("crates.io, source of its tokens' format"),
    token("NuGet", "oy2", lower, (43, 43)).from("NuGet, 'Publish a package', API keys"),
    token("Clojars", "CLOJARS_", hex, (60, 60)).from("Clojars, wiki, 'Deploy tokens'"),
    token("JFrog API key", "AKCp", alnum, (69, 73)).from("JFrog, 'API key' and 'Reference token'"),
    token("JFrog reference", "cmVmdGtu", alnum, (56, 64))
        .from("JFrog, 'API key' and 'Reference token'"),
];

const fn atlassian(byte: u8) -> bool {
    url(byte) || padded(byte)
}
