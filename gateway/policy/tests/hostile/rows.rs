//! The attacks of the hostile guest and the codes of the denials. The suite uses the same rows.

/// Attacks that are refused when the policy is loaded.
pub(crate) const REFUSED_AUTHORIZERS: [(&str, &str); 12] = [
    ("configure-loop", "policy-deadline"),
    ("configure-late", "policy-deadline"),
    ("configure-memory", "policy-memory"),
    ("configure-recursion", "policy-stack"),
    ("configure-trap", "policy-trap"),
    ("configure-refuse", "policy-settings"),
    ("configure-refuse-huge", "policy-answer"),
    ("schema-loop", "policy-deadline"),
    ("schema-text", "policy-answer"),
    ("schema-nested", "policy-answer"),
    ("schema-huge", "policy-answer"),
    ("schema-trap", "policy-trap"),
];

/// Attacks that are denied when the policy is called.
pub(crate) const AUTHORIZERS: [(&str, &str); 27] = [
    ("loop", "policy-deadline"),
    ("late", "policy-deadline"),
    ("log-forever", "policy-deadline"),
    ("memory", "policy-memory"),
    ("recursion", "policy-stack"),
    ("unreachable", "policy-trap"),
    ("panic", "policy-trap"),
    ("log-flood", "policy-log"),
    ("log-huge", "policy-answer"),
    ("string", "policy-answer"),
    ("annotations", "policy-answer"),
    ("annotation-long", "policy-answer"),
    ("annotation-control", "policy-answer"),
    ("code-bad", "policy-answer"),
    ("code-ours", "policy-answer"),
    ("message-long", "policy-answer"),
    ("message-control", "policy-answer"),
    ("raw-string-4gib", "policy-answer"),
    ("raw-string-outside", "policy-answer"),
    ("raw-utf8", "policy-answer"),
    ("raw-list-outside", "policy-answer"),
    ("raw-list-unaligned", "policy-answer"),
    ("raw-list-10-million", "policy-answer"),
    ("raw-list-full", "policy-answer"),
    ("raw-list-same", "policy-answer"),
    ("raw-decision", "policy-answer"),
    ("raw-verdict-outside", "policy-answer"),
];

/// Attacks that are denied when the redactor is called.
pub(crate) const REDACTORS: [(&str, &str); 23] = [
    ("loop", "policy-deadline"),
    ("memory", "policy-memory"),
    ("panic", "policy-trap"),
    ("refuse", "policy-refused"),
    ("refuse-huge", "policy-answer"),
    ("regex-bad", "policy-plan"),
    ("regex-look-around", "policy-plan"),
    ("regex-huge", "policy-plan"),
    ("regex-long", "policy-plan"),
    ("regex-nested", "policy-plan"),
    ("regex-empty", "policy-plan"),
    ("regex-many", "policy-deadline"),
    ("glob-bomb", "policy-plan"),
    ("glob-long", "policy-plan"),
    ("literal-empty", "policy-plan"),
    ("literal-huge", "policy-answer"),
    ("detector-unknown", "policy-plan"),
    ("places-none", "policy-plan"),
    ("rules-1025", "policy-plan"),
    ("rules-million", "policy-answer"),
    ("drop-control", "policy-plan"),
    ("hide-unknown", "policy-plan"),
    ("name-control", "policy-plan"),
];

/// The deadline for an attack with this code: short if it must expire, long if it must not.
pub(crate) fn milliseconds(code: &str) -> u64 {
    if code == "policy-deadline" {
        50
    } else {
        20_000
    }
}
