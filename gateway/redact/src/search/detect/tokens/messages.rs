//! Tokens of services that send messages, and webhooks. Slack's have a detector of their own.

use super::super::token::{Token, token};
use super::{alnum, digits, dotted, hex, url, word};

pub(super) const TOKENS: &[Token] = &[
    token("Twilio", "SK", hex, (32, 32)).from("Twilio, 'API keys overview'"),
    token("SendGrid", "SG.", dotted, (66, 66))
        .only_if(|key| key.get(25) == Some(&b'.'))
        .from("Twilio SendGrid, 'API keys'"),
    token("Mailgun", "key-", hex, (32, 32)).from("Mailgun, 'API keys'"),
    token("Mailchimp", "-us", digits, (1, 2))
        .after(hex, 32, 32)
        .from("Mailchimp, 'Fundamentals'"),
    token("Brevo", "xkeysib-", url, (64, 90)).from("Brevo, 'API key' and 'SMTP key'"),
    token("Brevo SMTP", "xsmtpsib-", url, (64, 90)).from("Brevo, 'API key' and 'SMTP key'"),
    token("Telegram", ":AA", url, (32, 34))
        .after(digits, 8, 10)
        .from("Telegram, Bot API, 'Authorizing your bot'"),
    token("Discord webhook", "/api/webhooks/", path, (78, 96))
        .only_if(|hook| {
            hook.get(14..32)
                .is_some_and(|id| id.iter().filter(|byte| byte.is_ascii_digit()).count() >= 17)
        })
        .from("Discord, developer documentation, 'Webhook resource'"),
    token(
        "Teams webhook",
        ".webhook.office.com/webhookb2/",
        teams,
        (100, 300),
    )
    .from("Microsoft Teams, 'Create incoming webhooks'"),
    token(
        "Zapier webhook",
        "hooks.zapier.com/hooks/catch/",
        path,
        (12, 64),
    )
    .from("Zapier, 'Trigger zaps from webhooks'"),
    token("Notion", "ntn_", alnum, (40, 64)).from("Notion, 'Authorization'"),
    token("Notion, old", "secret_", alnum, (43, 43)).from("Notion, 'Authorization'"),
    token("Twitch chat", "oauth:", alnum, (30, 30)).from("Twitch, 'Getting tokens', chat"),
    token("Matrix", "syt_", word, (30, 128)).from("Matrix, Synapse's access tokens"),
];

const fn path(byte: u8) -> bool {
    url(byte) || byte == b'/'
}

const fn teams(byte: u8) -> bool {
    path(byte) || byte == b'@'
}
