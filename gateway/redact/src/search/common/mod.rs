//! Values that cannot be told from ordinary text: to hide them wherever they occur would blacken programs and data.

mod words;

/// Longer numbers are keys or tokens.
const DIGITS_MAX: usize = 20;
/// Parts of a list.
const LIST_MAX: usize = 32;
/// Longer values are not ordinary text.
const LENGTH_MAX: usize = 512;

/// Whether `value` is a boolean, a number, a duration, an address, a host name, a path, a word of the shipped list, or a list of
/// those.
pub(crate) fn is_common(value: &[u8]) -> bool {
    let Some(text) = std::str::from_utf8(value).ok().map(str::trim) else {
        return false;
    };
    if text.len() > LENGTH_MAX {
        return false;
    }
    let mut parts = text
        .split([',', ';', '|', ' '])
        .filter(|part| !part.is_empty());
    parts.clone().count() <= LIST_MAX && parts.all(is_one)
}

fn is_one(text: &str) -> bool {
    words::is_word(text)
        || is_number(text)
        || is_measure(text)
        || is_address(text)
        || is_host(text)
        || is_path(text)
        || is_plain_url(text)
}

/// `42`, `-1.5e3`, `0x1f`, `1_000`, and versions such as `v1.2.3`.
fn is_number(text: &str) -> bool {
    let text = text.trim_start_matches(['+', '-', 'v', 'V']);
    if let Some(hex) = text.strip_prefix("0x") {
        return (1..=16).contains(&hex.len()) && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let fits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || b"._+-:".contains(&byte))
    };
    fits(mantissa)
        && (1..=DIGITS_MAX).contains(&digits(mantissa))
        && exponent.len() <= 4
        && fits(exponent)
        && digits(exponent) > 0
}

/// A number with a unit, or several of a duration, the longest first: `30s`, `1h30m`, `512Mi`, `50%`; and ISO 8601's `PT5M`.
fn is_measure(text: &str) -> bool {
    let text = text.trim_start_matches(['+', '-']);
    let (text, iso) = text
        .strip_prefix('P')
        .map_or((text, false), |rest| (rest, true));
    let text = text.strip_prefix('T').filter(|_| iso).unwrap_or(text);
    let mut rest = text;
    let mut before = None;
    while !rest.is_empty() {
        let number = rest.len()
            - rest
                .trim_start_matches(|it: char| it.is_ascii_digit() || it == '.')
                .len();
        let (number, behind) = rest.split_at_checked(number).unwrap_or_default();
        let unit = behind.len()
            - behind
                .trim_start_matches(|it: char| it.is_ascii_alphabetic() || it == '%' || it == 'µ')
                .len();
        let (unit, behind) = behind.split_at_checked(unit).unwrap_or_default();
        if number.is_empty() || number.len() > DIGITS_MAX || !words::is_unit(unit) {
            return false;
        }
        let length = words::length_of_time(unit);
        let is_more = before.is_some() || !behind.is_empty();
        if is_more && (length.is_none() || before.is_some_and(|before| length >= before)) {
            return false;
        }
        before = Some(length);
        rest = behind;
    }
    !text.is_empty()
}

/// An IP address, with a port or the length of a prefix; a port alone.
fn is_address(text: &str) -> bool {
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    let text = text.split_once('/').map_or(text, |(address, length)| {
        if length.parse::<u8>().is_ok() {
            address
        } else {
            text
        }
    });
    text.parse::<std::net::IpAddr>().is_ok()
        || text.parse::<std::net::SocketAddr>().is_ok()
        || text.strip_prefix(':').is_some_and(is_port)
        || text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .is_some_and(|it| it.parse::<std::net::Ipv6Addr>().is_ok())
}

/// A host name in lower case with a known last part, or a word of the list, perhaps with a port.
fn is_host(text: &str) -> bool {
    let (name, port) = text
        .rsplit_once(':')
        .map_or((text, None), |(name, port)| (name, Some(port)));
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return false;
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let name = name.strip_prefix("*.").unwrap_or(name);
    let labels: Vec<&str> = name.split('.').collect();
    let label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
            })
    };
    let last = labels.last().copied().unwrap_or_default();
    let known = labels.len() > 1 && words::is_last_label(last);
    let single = labels.len() == 1 && port.is_some() && is_plain(name);
    (known || single) && labels.iter().all(label)
}

/// A path of a file whose parts are ordinary: what begins with a slash may also be base64.
fn is_path(text: &str) -> bool {
    let starts = ["/", "./", "../", "~/"]
        .iter()
        .any(|start| text.starts_with(start));
    let drive =
        matches!(text.as_bytes(), [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    let mut parts = text.split(['/', '\\', ':']).filter(|part| !part.is_empty());
    (starts || drive)
        && (text.len() == 1 || parts.clone().next().is_some())
        && parts.all(is_part_of_path)
}

/// A URL of ordinary parts, without a user.
fn is_plain_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let scheme_fits = scheme
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.:".contains(&byte));
    let (rest, query) = rest.split_once(['?', '#']).unwrap_or((rest, ""));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host_fits = host.is_empty() || is_host(host) || is_address(host) || is_plain(host);
    let mut pairs = query.split(['&', '#', '?']).filter(|pair| !pair.is_empty());
    let query_fits = pairs.all(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        is_plain(key)
            && (value.is_empty() || words::is_word(value) || is_number(value) || is_measure(value))
    });
    !scheme.is_empty()
        && scheme_fits
        && host_fits
        && query_fits
        && path
            .split('/')
            .filter(|part| !part.is_empty())
            .all(is_part_of_path)
}

/// A name, a UUID, or the time that Kubernetes puts into the names of its folders.
fn is_part_of_path(part: &str) -> bool {
    let is_uuid = part.len() == 36
        && part.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    matches!(part, "." | "..") || is_uuid || is_plain(part)
}

/// Words of letters in one case, or with a capital, and short numbers, joined by signs. Nothing that was drawn at random looks
/// like that.
pub(crate) fn is_plain(text: &str) -> bool {
    let mut words = text.split(['-', '_', '.', '@', '+', '$', '{', '}']);
    !text.is_empty() && text.len() <= 128 && words.all(is_plain_word)
}

fn is_plain_word(word: &str) -> bool {
    let letters = word.trim_end_matches(|it: char| it.is_ascii_digit());
    let digits = word.len() - letters.len();
    let first = letters.chars().next().map_or(0, char::len_utf8);
    let rest = letters.get(first..).unwrap_or_default();
    let same_case = |text: &str| {
        let all = |test: fn(&u8) -> bool| text.bytes().all(|byte| test(&byte));
        all(u8::is_ascii_lowercase) || all(u8::is_ascii_uppercase)
    };
    let short = if letters.is_empty() { 8 } else { 4 };
    digits <= short
        && letters.len() <= 24
        && letters.bytes().all(|byte| byte.is_ascii_alphabetic())
        && (same_case(letters) || rest.bytes().all(|byte| byte.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_values_are_common() {
        for value in [
            "true",
            "False",
            "enabled",
            "none",
            "1234567",
            "-17",
            "3.14159",
            "0x7fffffff",
            "86400000",
            "1h30m",
            "2w3d4h5m6.5s",
            "30s",
            "500ms",
            "PT15M",
            "P30D",
            "512Mi",
            "100%",
            "10.0.12.250",
            "10.0.0.0/16",
            "10.0.0.1:5432",
            "[::1]:8080",
            "fe80::1",
            ":8443",
            "localhost",
            "localhost:5432",
            "redis-master:6379",
            "db.shop.svc.cluster.local",
            "login.example.com",
            "*.example.com",
            "/var/run/secrets/kubernetes.io/serviceaccount/token",
            "/etc/ssl/certs",
            "./config/keys.json",
            "C:\\Windows\\System32",
            "/var/lib/kubelet/pods/0d2ea5e8-6a2c-4e02-8a0c-55cbd1b6b06f/volumes",
            "https://login.example.com/oauth2/token",
            "http://auth:8080/realms/shop",
            "redis://cache:6379/0",
            "postgres",
            "PostgreSQL",
            "random",
            "bcrypt",
            "HS256",
            "aes-256-gcm",
            "RS256,ES256",
            "openid profile email",
            "client_secret_basic",
            "scram-sha-256",
            "GET,POST",
            "password",
            "changeme",
            "production",
            "connect.sid",
            "v1.29.3",
            "jdbc:postgresql://db:5432/shop?sslmode=require",
            "database",
        ] {
            assert!(is_common(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn secrets_are_not_common() {
        for value in [
            "hunter2",
            "Tr0ub4dor&3",
            "correct horse battery staple",
            "s3cr3t-value-Q",
            "/qUKZ8xW3tYb2LmN",
            "/AbC123+xyz=",
            "AKIAIOSFODNN7EXAMPLE",
            "123456789012345678901",
            "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
            "deadbeefcafe1234567890ab",
            "https://hooks.slack.example/services/T0ABCDEF/B0GHIJKL/aBcDeFgHiJkLmNoPqRsTuVwX",
            "postgres://cart:hunter2@db/cart",
            "https://api.example.com/?token=a8f5f167f44f",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
            "x7Yp9-Kq2Lm",
            "0d2ea5e8-6a2c-4e02-8a0c-55cbd1b6b06f",
            "password123!",
            "4925d13638d9d57b",
            "12m34h",
            "1k2m3g",
            "secret-postgres-2024x",
            "",
        ] {
            assert!(value.is_empty() || !is_common(value.as_bytes()), "{value}");
        }
    }
}
