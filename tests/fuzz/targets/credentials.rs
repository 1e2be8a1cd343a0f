//! Looks for credentials in any bytes: as a log, as a certificate in PEM and in DER, and as the claims of a token. The report must
//! be bounded.
#![no_main]

use std::io::Cursor;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Version 3 and a number, as the expression for certificates in DER finds them.
const DER: &[u8] = b"\x30\x82\x02\x00\x30\x82\x01\x00\xa0\x03\x02\x01\x02\x02";

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(text)
    );
    let token = format!(
        " eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{}.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg ",
        URL_SAFE_NO_PAD.encode(text)
    );
    let der = [DER, text].concat();
    let members = [
        ("container.log", text),
        ("checkpoint/pages-1.img", der.as_slice()),
        ("a.pem", pem.as_bytes()),
        ("a.jwt", token.as_bytes()),
    ];
    let mut builder = tar::Builder::new(Vec::new());
    for (name, contents) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(contents.len() as u64);
        header.set_mode(0o600);
        builder
            .append_data(&mut header, name, contents)
            .expect("a tar in memory");
    }
    let archive = builder.into_inner().expect("a tar in memory");
    let fingerprint: gateway_redact::Fingerprint = Arc::new(|secret| secret.len().to_string());
    let audit = gateway_redact::audit(
        &mut Cursor::new(&archive),
        &mut tempfile::tempfile,
        Some(fingerprint),
    );
    if let Ok(audit) = audit {
        assert!(audit.report.credentials.len() <= 200, "the report is not bounded");
    }
});
