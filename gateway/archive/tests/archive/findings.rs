//! Findings about archives at publication: a fatal one keeps an archive out, the others stand in its metadata.

use gateway_archive::{Error, Limits, Quota, Settings, Store};
use gateway_core::{Checkpoint, FindingCode, Transport};
use gateway_redact::Redaction;

use crate::plans::hide_variables;
use crate::specimen::{Members, Runtime, Specimen, tar};
use crate::support::{Home, check, id, info, open, target};

fn members() -> Members {
    Specimen::new(vec!["API_KEY=open-sesame-open".to_owned()]).members(Runtime::Containerd)
}

fn without(name: &str) -> Vec<u8> {
    let mut members = members();
    members.retain(|(member, _)| member != name);
    tar(&members)
}

fn replaced(name: &str, bytes: Vec<u8>) -> Vec<u8> {
    let mut members = members();
    members.retain(|(member, _)| member != name);
    members.push((name.to_owned(), bytes));
    tar(&members)
}

/// A redaction of each kind, and none.
fn redactions() -> [Option<Redaction>; 2] {
    let redaction = Redaction {
        plan: hide_variables("*_KEY"),
        ..Redaction::default()
    };
    [None, Some(redaction)]
}

async fn publish(
    store: &Store,
    transport: Transport,
    redaction: Option<Redaction>,
    archive: &[u8],
) -> Result<Checkpoint, Error> {
    let reserved = store.reserve(&target("shop/cart-0/app"), None).unwrap();
    let intake = store
        .intake(reserved, id(1), transport, redaction)
        .await
        .unwrap();
    let (mut runtime, archive) = (open(intake.location()), archive.to_vec());
    let writing = move || std::io::Write::write_all(&mut runtime, &archive).unwrap();
    std::thread::spawn(writing).join().unwrap();
    intake.publish(info(1)).await
}

#[tokio::test]
async fn an_archive_with_a_fatal_finding_is_not_published() {
    let home = Home::new();
    let one = Limits {
        bytes: None,
        count: Some(1),
    };
    let quota = Quota {
        total: one,
        ..Quota::default()
    };
    let settings = Settings {
        quota,
        ..home.settings()
    };
    let (store, _) = Store::open(settings).unwrap();
    let status = br#"{"labels":{"io.kubernetes.pod.uid":"another"}}"#.to_vec();
    for (archive, code) in [
        (without("checkpoint/mm-17.img"), FindingCode::ImageMissing),
        (without("checkpoint/pages-2.img"), FindingCode::ImageMissing),
        (without("spec.dump"), FindingCode::SpecMissing),
        (
            replaced("checkpoint/pages-2.img", vec![0; 4096]),
            FindingCode::PageCount,
        ),
        (replaced("status.dump", status), FindingCode::OwnerConflict),
    ] {
        for transport in [Transport::Fifo, Transport::File] {
            for redaction in redactions() {
                // Each attempt needs the whole quota, which the one before must have given back.
                let refused = publish(&store, transport, redaction, &archive).await;
                match refused {
                    Err(Error::Incomplete { findings }) => {
                        assert!(
                            findings[0].is_fatal() && findings[0].code == code,
                            "{findings:?}"
                        );
                    }
                    // The redactor may see it first.
                    Err(Error::Redaction(gateway_redact::Error::BadTar(reason))) => {
                        assert!(reason.contains("memory pages"), "{reason}");
                    }
                    other => panic!("{other:?}"),
                }
                assert!(home.is_empty());
            }
        }
    }
    publish(&store, Transport::Fifo, None, &tar(&members()))
        .await
        .unwrap();
}

#[tokio::test]
async fn noteworthy_findings_stand_in_the_metadata() {
    let home = Home::new();
    let store = home.store();
    let mut archive = replaced("config.dump", br#"{"rootfsImageRef":""}"#.to_vec());
    let checkpoint = publish(&store, Transport::Fifo, None, &archive)
        .await
        .unwrap();
    check(&checkpoint, &archive);
    let codes: Vec<_> = checkpoint
        .findings
        .iter()
        .map(|finding| finding.code)
        .collect();
    assert_eq!(codes, [FindingCode::BaseImage]);
    store.delete(id(1)).unwrap().unwrap();
    archive = tar(&members());
    let checkpoint = publish(&store, Transport::Fifo, None, &archive)
        .await
        .unwrap();
    assert_eq!(checkpoint.findings, []);
}

#[tokio::test]
async fn an_archive_that_breaks_off_is_not_published() {
    let home = Home::new();
    let store = home.store();
    let whole = tar(&members());
    for cut in [whole.len() - 1024, whole.len() / 2, 600] {
        for redaction in redactions() {
            let refused = publish(&store, Transport::Fifo, redaction, &whole[..cut]).await;
            let refused = refused.unwrap_err();
            let truncated = gateway_redact::Error::Truncated;
            assert_eq!(refused.to_string(), truncated.to_string());
            assert!(home.is_empty());
        }
    }
}
