//! Memory pages that CRIU compressed with LZ4: searched, and refused on a hit.

use gateway_core::{Pattern, Place};
use gateway_redact::Error;

use crate::plans::hide_variables;
use crate::specimen::{Dice, Members, PAGE, image, message, tar};
use crate::support::{literal, only, run};

const ADDRESS: u64 = 0x7fff_0000_0000;

/// An archive with these pages compressed; `None` is a page of zeros without contents.
fn archive(pages: &[Option<Vec<u8>>], environment: (u64, u64)) -> Vec<u8> {
    let blocks: Vec<_> = pages
        .iter()
        .map(|page| page.as_deref().map(lz4_flex::compress).unwrap_or_default())
        .collect();
    members(&blocks, pages.len(), environment)
}

fn members(blocks: &[Vec<u8>], pages: usize, environment: (u64, u64)) -> Vec<u8> {
    let lengths: Vec<u64> = blocks.iter().map(|block| block.len() as u64).collect();
    let mut entry = message(&[(1, ADDRESS), (2, 0), (4, 4), (5, pages as u64)]);
    for length in &lengths {
        entry.extend(message(&[(6, *length)]));
    }
    entry.extend(message(&[(7, lengths.iter().sum())]));
    let space = message(&[(1, 0), (10, environment.0), (11, environment.1)]);
    tar(&[
        ("checkpoint/mm-1.img".to_owned(), image(&[space])),
        (
            "checkpoint/pagemap-1.img".to_owned(),
            image(&[message(&[(1, 1)]), entry]),
        ),
        ("checkpoint/pages-1.img".to_owned(), blocks.concat()),
    ])
}

fn page(text: &[u8]) -> Vec<u8> {
    let mut page = text.to_vec();
    page.resize(PAGE, b'.');
    page
}

fn searched(archive: &[u8]) -> Result<Members, Error> {
    run(only(Place::Memory, literal("open-sesame")), archive)
}

fn refusal(archive: &[u8]) -> String {
    searched(archive).unwrap_err().to_string()
}

#[test]
fn compressed_pages_without_a_hit_pass_as_they_are() {
    let noise = Dice::new(4).text(PAGE).into_bytes();
    let given = archive(
        &[
            Some(page(b"plain")),
            None,
            Some(noise),
            Some(page(b"open-")),
        ],
        (0, 0),
    );
    let after = searched(&given).unwrap();
    assert!(tar(&after) == given);
}

#[test]
fn compressed_pages_with_a_hit_are_refused() {
    // The second copy stands in no byte of the block.
    let twice = page(b"the key is open-sesa, and open-sesame");
    let at_end = [vec![b'.'; PAGE - 4], b"open".to_vec()].concat();
    for pages in [
        vec![Some(page(b"first")), Some(page(b"open-sesame"))],
        vec![Some(twice)],
        vec![Some(at_end), Some(page(b"-sesame"))],
    ] {
        let refused = refusal(&archive(&pages, (0, 0)));
        assert!(
            refused.contains("compressed") && refused.contains("hidden"),
            "{refused}"
        );
    }
}

#[test]
fn compressed_environments_are_refused_or_pass() {
    let block = b"PATH=/bin\0PIN=12\0";
    let bounds = (ADDRESS, ADDRESS + block.len() as u64);
    let given = archive(&[Some(page(block))], bounds);
    run(hide_variables("*_KEY"), &given).unwrap();
    let refused = run(hide_variables("PIN"), &given).unwrap_err().to_string();
    assert!(refused.contains("compressed"), "{refused}");
}

#[test]
fn pages_that_are_not_lz4_are_refused() {
    let blocks = vec![Dice::new(1).text(300).into_bytes(); 3];
    let refused = refusal(&members(&blocks, 3, (0, 0)));
    assert!(refused.contains("compressed"), "{refused}");
    let block = lz4_flex::compress(&page(b"plain"));
    // The map lists another number of pages, and another size of the image.
    let refused = refusal(&members(std::slice::from_ref(&block), 2, (0, 0)));
    assert!(refused.contains("compressed"), "{refused}");
    let mut short = members(&[block], 1, (0, 0));
    short.truncate(short.len() - 1024 - 512);
    searched(&short).unwrap_err();
}

#[test]
fn pages_that_stand_as_they_were_are_searched() {
    let plain = page(b"open-sesame");
    let refused = refusal(&members(&[plain], 1, (0, 0)));
    assert!(refused.contains("compressed"), "{refused}");
    let clean = Dice::new(8).text(PAGE).into_bytes();
    searched(&members(&[clean], 1, (0, 0))).unwrap();
}

#[test]
fn bytes_behind_compressed_pages_are_searched() {
    let block = lz4_flex::compress(&page(b"plain"));
    let mut given = searched(&members(&[block], 1, (0, 0))).unwrap();
    given[2].1.extend(b"open-sesame");
    let refused = refusal(&tar(&given));
    assert!(refused.contains("compressed"), "{refused}");
}

#[test]
fn compressed_pages_pass_where_memory_is_not_searched() {
    let given = archive(&[Some(page(b"open-sesame"))], (0, 0));
    let after = run(
        only(Place::Logs, Pattern::Literal(b"open-sesame".to_vec())),
        &given,
    )
    .unwrap();
    assert!(tar(&after) == given);
}
