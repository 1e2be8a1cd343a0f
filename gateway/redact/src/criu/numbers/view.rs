//! Lays numbers out as bytes, in every way in which a text can stand in them.

use std::collections::BTreeMap;
use std::ops::Range;

use super::number::Number;
use super::walk::Numbers;

/// Between two layouts: longer than what a piece needs, so that nothing reaches across.
const GAP: usize = 16;
/// Layouts are searched together up to about this many bytes.
const FULL: usize = 1 << 18;
/// A longer list is laid out in parts, which overlap by the numbers of the longest register.
const PART: usize = 4096;
const OVERLAP: usize = 16;

/// Bytes, each with the number and the byte of its value that it comes from.
#[derive(Debug, Default)]
pub(crate) struct View(Vec<Option<(usize, usize)>>);

impl View {
    /// The bytes as they are now.
    pub(crate) fn bytes(&self, numbers: &[Number]) -> Vec<u8> {
        let byte = |it: &Option<(usize, usize)>| {
            let (number, byte) = (*it)?;
            Some(numbers.get(number)?.byte(byte))
        };
        self.0
            .iter()
            .map(|it| byte(it).unwrap_or_default())
            .collect()
    }

    /// Where the bytes of `range` come from.
    pub(crate) fn sources(&self, range: Range<usize>) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.0.get(range).into_iter().flatten().copied().flatten()
    }

    fn add(&mut self, sources: impl Iterator<Item = (usize, usize)>) {
        self.0.extend(sources.map(Some));
        self.0.extend([None; GAP]);
    }
}

/// All layouts of an entry's numbers, in portions: registers in full width first, so that what stands across their halves is
/// found as a whole. `take` may mask numbers before it gets the next portion.
pub(crate) fn views<E>(
    numbers: &mut Numbers,
    mut take: impl FnMut(&View, &mut [Number]) -> Result<(), E>,
) -> Result<(), E> {
    let Numbers {
        all, lists, rows, ..
    } = numbers;
    let mut view = View::default();
    for woven in woven(lists) {
        view.add(woven.into_iter());
        hand_out(&mut view, FULL, all, &mut take)?;
    }
    hand_out(&mut view, 1, all, &mut take)?;
    for list in lists.values().chain(rows.iter()) {
        for part in telling_runs(list, all) {
            for (width, is_big_endian) in [(8, false), (4, false), (8, true), (4, true)] {
                let mut bytes = sources(&part, width);
                if is_big_endian {
                    bytes.chunks_mut(width).for_each(<[_]>::reverse);
                }
                view.add(bytes.into_iter());
            }
            hand_out(&mut view, FULL, all, &mut take)?;
        }
    }
    hand_out(&mut view, 1, all, &mut take)
}

fn hand_out<E>(
    view: &mut View,
    least: usize,
    numbers: &mut [Number],
    take: &mut impl FnMut(&View, &mut [Number]) -> Result<(), E>,
) -> Result<(), E> {
    if view.0.len() >= least {
        take(view, numbers)?;
        view.0.clear();
    }
    Ok(())
}

/// The lowest `width` bytes of each number, little-endian.
fn sources(list: &[usize], width: usize) -> Vec<(usize, usize)> {
    let bytes = |number: &usize| (0..width).map(|byte| (*number, byte)).collect::<Vec<_>>();
    list.iter().flat_map(bytes).collect()
}

/// Runs of numbers that can hold six bytes of text between them, in parts that overlap. Any such six bytes reach to the upper
/// end of a number's four or eight bytes, which is large then.
fn telling_runs(list: &[usize], numbers: &[Number]) -> Vec<Vec<usize>> {
    let is_large = |index: &usize| numbers.get(*index).is_some_and(Number::is_large);
    let (mut runs, mut run) = (Vec::new(), Vec::new());
    let mut before = false;
    for (at, index) in list.iter().enumerate() {
        let large = is_large(index);
        if large || before || list.get(at + 1).is_some_and(is_large) {
            run.push(*index);
        } else if !run.is_empty() {
            runs.push(std::mem::take(&mut run));
        }
        if run.len() >= PART {
            let next = run.get(PART - OVERLAP..).unwrap_or_default().to_vec();
            runs.push(std::mem::replace(&mut run, next));
        }
        before = large;
    }
    runs.extend((!run.is_empty()).then_some(run));
    runs
}

/// x86's vector registers, put together: CRIU keeps the lowest 16 bytes of all, the next 16 and the upper 32 in lists of their
/// own. The lower halves are also put together in smaller units, as instructions that unpack do it.
fn woven(lists: &BTreeMap<Vec<u64>, Vec<usize>>) -> Vec<Vec<(usize, usize)>> {
    let half = |path: &[u64], width| {
        let list = lists.get(path).map_or(&[][..], Vec::as_slice);
        sources(list.get(..list.len().min(PART)).unwrap_or_default(), width)
    };
    let low = half(&[2, 3, 10], 4);
    let middle = half(&[2, 3, 13, 2], 4);
    let high = half(&[2, 3, 13, 6], 8);
    let mut all = vec![weave(&[(&low, 16), (&middle, 16), (&high, 32)])];
    all.extend([16, 8, 4].map(|unit| weave(&[(&low, unit), (&middle, unit)])));
    all
}

fn weave(parts: &[(&Vec<(usize, usize)>, usize)]) -> Vec<(usize, usize)> {
    let registers = parts.first().map_or(0, |(part, unit)| part.len() / unit);
    let of_register = |register: usize| {
        let bytes = parts.iter().flat_map(move |(part, unit)| {
            part.get(register * unit..(register + 1) * unit)
                .unwrap_or_default()
        });
        bytes.copied()
    };
    (0..registers).flat_map(of_register).collect()
}
