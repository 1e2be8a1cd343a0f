//! Tests how archives are written to a location.

use std::os::unix::fs::PermissionsExt;

use gateway_node::{Fault, Gate, Moment};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tonic::Code;

use crate::fixture::{Fixture, is_fifo};

#[tokio::test]
async fn writes_the_whole_archive_into_a_fifo() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    // More than the capacity of a pipe, so the writer must wait for the reader.
    fixture.node.behave(Fault::ExtraPages(1 << 20));
    let location = fixture.fifo("archive");
    let mut reader = pipe::OpenOptions::new().open_receiver(&location).unwrap();
    let mut archive = Vec::new();
    // A read before the writer has opened the FIFO would return end of file.
    let read = async {
        while archive.is_empty() {
            reader.readable().await.unwrap();
            reader.read_buf(&mut archive).await.unwrap();
        }
        reader.read_to_end(&mut archive).await.unwrap();
    };
    let (done, ()) = tokio::join!(fixture.checkpoint(&container.id, &location), read);
    done.unwrap();
    assert!(is_fifo(&location));
    assert!(archive.len() > 1 << 20);
    assert_eq!(archive.len() % 512, 0);
    let names: Vec<_> = tar::Archive::new(archive.as_slice())
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    assert_eq!(names.last().map(String::as_str), Some("status.dump"));
}

#[tokio::test]
async fn a_new_archive_has_mode_0600() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    let location = fixture.path("archive.tar");
    fixture.checkpoint(&container.id, &location).await.unwrap();
    assert_eq!(
        location.metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test]
async fn an_existing_file_keeps_its_mode_and_tail() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    let location = fixture.path("archive.tar");
    let longer = vec![b'x'; 32 << 20];
    std::fs::write(&location, &longer).unwrap();
    std::fs::set_permissions(&location, PermissionsExt::from_mode(0o640)).unwrap();
    fixture.checkpoint(&container.id, &location).await.unwrap();
    let archive = std::fs::read(&location).unwrap();
    assert_eq!(archive.len(), longer.len());
    assert!(archive.starts_with(b"checkpoint/\0"));
    assert!(archive.ends_with(b"xxx"));
    assert_eq!(
        location.metadata().unwrap().permissions().mode() & 0o777,
        0o640
    );
}

#[tokio::test]
async fn refuses_a_folder_after_the_dump() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    let folder = fixture.path("");
    let (code, text) = fixture.refusal(&container.id, &folder).await;
    assert_eq!(code, Code::Unknown);
    assert!(text.ends_with(": is a directory"), "{text}");
}

#[tokio::test]
async fn can_replace_a_fifo_with_a_file() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    fixture.node.behave(Fault::ReplaceLocation);
    let location = fixture.fifo("archive");
    fixture.checkpoint(&container.id, &location).await.unwrap();
    assert!(location.metadata().unwrap().is_file());
    assert!(
        std::fs::read(&location)
            .unwrap()
            .starts_with(b"checkpoint/\0")
    );
}

#[tokio::test]
async fn can_refuse_a_fifo_and_accept_a_file() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    fixture.node.behave(Fault::RefuseFifo);
    let (code, text) = fixture
        .refusal(&container.id, &fixture.fifo("archive"))
        .await;
    assert_eq!(code, Code::Unknown);
    assert!(text.ends_with(": not a regular file"), "{text}");
    fixture
        .checkpoint(&container.id, &fixture.path("archive.tar"))
        .await
        .unwrap();
}

#[tokio::test]
async fn writes_nothing_to_the_location_before_the_dump() {
    let fixture = Fixture::start().await;
    let (_, container) = fixture.run_idle("cart-0").await;
    let gate = Gate::closed();
    fixture
        .node
        .behave(Fault::Hold(Moment::AfterDump, gate.clone()));
    let location = fixture.path("archive.tar");
    let check = async {
        gate.arrived(1).await;
        assert!(!location.exists());
        gate.open();
    };
    let (done, ()) = tokio::join!(fixture.checkpoint(&container.id, &location), check);
    done.unwrap();
    assert!(location.exists());
}
