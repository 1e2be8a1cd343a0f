//! Tokens of services that send messages, and webhooks. Slack's have a detector of their own.

use super::super::token::{Token, token};
use super::{alnum, digits, dotted, hex, url, word};

pub(super) const TOKENS: &[Token] = &[
    // Twilio, "API keys overview".
    token("Twilio", "SK", hex, (32, 32)),
    // Twilio SendGrid, "API keys": two parts of 22 and 43 characters.
    token("SendGrid", "SG.", dotted, (66, 66)).only_if(|key| key.get(25) == Some(&b'.')),
    // Mailgun, "API keys".
    token("Mailgun", "key-", hex, (32, 32)),
    // Mailchimp, "Fundamentals", API keys end in the data centre.
    token("Mailchimp", "-us", digits, (1, 2)).after(hex, 32, 32),
    // Brevo, "API key" and "SMTP key".
    token("Brevo", "xkeysib-", url, (64, 90)),
    token("Brevo SMTP", "xsmtpsib-", url, (64, 90)),
    // Telegram, Bot API, "Authorizing your bot".
    token("Telegram", ":AA", url, (32, 34)).after(digits, 8, 10),
    // Discord, developer documentation, "Webhook resource": id and token.
    token("Discord webhook", "/api/webhooks/", path, (78, 96)).only_if(|hook| {
        hook.get(14..32)
            .is_some_and(|id| id.iter().filter(|byte| byte.is_ascii_digit()).count() >= 17)
    }),
    // Microsoft Teams, "Create incoming webhooks".
    token(
        "Teams webhook",
        ".webhook.office.com/webhookb2/",
        teams,
        (100, 300),
    ),
    // Zapier, "Trigger zaps from webhooks".
    token(
        "Zapier webhook",
        "hooks.zapier.com/hooks/catch/",
        path,
        (12, 64),
    ),
    // Notion, "Authorization": internal integrations, new and old.
    token("Notion", "ntn_", alnum, (40, 64)),
    token("Notion, old", "secret_", alnum, (43, 43)),
    // Twitch, "Getting tokens", chat.
    token("Twitch chat", "oauth:", alnum, (30, 30)),
    // Matrix, Synapse's access tokens.
    token("Matrix", "syt_", word, (30, 128)),
];

const fn path(byte: u8) -> bool {
    url(byte) || byte == b'/'
}

const fn teams(byte: u8) -> bool {
    path(byte) || byte == b'@'
}
