use crate::output::print;
use crate::paint::Paint;
use crate::terminal::shown;

/// The most characters of a cell.
const CELL: usize = 48;
/// How many rows are looked at before they are printed, so that they stand below one another.
const BLOCK: usize = 256;

/// How a cell looks on a terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Dim,
    Good,
    Bad,
}

/// A table that is printed while it is made: in memory for a block of its rows.
pub(super) struct Table<const N: usize> {
    paint: Paint,
    widths: [usize; N],
    rows: Vec<[(String, Tone); N]>,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(headings: [&str; N]) -> Self {
        let mut table = Self {
            paint: Paint::of_stdout(),
            widths: [0; N],
            rows: Vec::with_capacity(BLOCK),
        };
        table.row(headings.map(|heading| (heading.to_owned(), Tone::Dim)));
        table
    }

    /// Adds a row. What is in it may come from anybody.
    pub(super) fn row(&mut self, cells: [(String, Tone); N]) {
        let cells = cells.map(|(text, tone)| (shown(&text, CELL), tone));
        for (width, (text, _)) in self.widths.iter_mut().zip(&cells) {
            *width = (*width).max(text.chars().count());
        }
        self.rows.push(cells);
        if self.rows.len() >= BLOCK {
            self.flush();
        }
    }

    /// Prints what is left.
    pub(super) fn flush(&mut self) {
        for row in std::mem::take(&mut self.rows) {
            let mut line = String::new();
            for (width, (text, tone)) in self.widths.iter().zip(row) {
                let gap = width.saturating_sub(text.chars().count()).saturating_add(2);
                line.push_str(&self.painted(&text, tone));
                line.push_str(&" ".repeat(gap));
            }
            print(line.trim_end());
        }
    }

    fn painted(&self, text: &str, tone: Tone) -> String {
        match tone {
            Tone::Plain => text.to_owned(),
            Tone::Dim => self.paint.dim(text),
            Tone::Good => self.paint.green(text),
            Tone::Bad => self.paint.red(text),
        }
    }
}
