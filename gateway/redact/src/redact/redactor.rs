use std::io::{BufReader, Read, Seek, Write};

use gateway_core::{DropSummary, Masked, Plan, RedactionSummary, RuleSummary};

use super::inventory::Inventory;
use super::known::Known;
use super::layout::Layout;
use super::pass::Pass;
use super::plan::{Drops, check_plan};
use super::settings::RedactionSettings;
use crate::Error;
use crate::scratch::Scratch;
use crate::search::{EnvValue, Rules, Tally};
use crate::sink::Output;

/// How often an archive is gone through, at most. The second pass knows all that the first learnt.
const MAX_PASSES: u32 = 3;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;

/// What is to be hidden in one archive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redaction {
    /// What the policies decided.
    pub plan: Plan,
    /// The container's environment, as far as it is known before the archive comes. Saves a second pass.
    pub values: Vec<EnvValue>,
    /// How it is done.
    pub settings: RedactionSettings,
}

/// Carries out a redaction, pass by pass. Cannot be printed: it holds values.
pub struct Redactor {
    plan: Plan,
    settings: RedactionSettings,
    drops: Drops,
    layout: Layout,
    known: Known,
    found: Tally,
    /// Of what came in, without what was left out.
    inventory: Inventory,
    unreadable: Vec<String>,
    passes: u32,
}

impl Redactor {
    /// Compiles the plan.
    ///
    /// # Errors
    /// [`Error::BadRule`], [`Error::CannotDrop`] or [`Error::BadMask`]: the plan cannot be carried out.
    pub fn new(redaction: Redaction) -> Result<Self, Error> {
        let Redaction {
            plan,
            values,
            settings,
        } = redaction;
        check_plan(&plan, &settings)?;
        let mut redactor = Self {
            drops: Drops::new(&plan)?,
            layout: Layout::new(settings.page_size),
            known: Known::new(&plan, &settings),
            found: Tally::default(),
            inventory: Inventory::default(),
            unreadable: Vec::new(),
            passes: 0,
            plan,
            settings,
        };
        redactor.hear(&values)?;
        Ok(redactor)
    }

    /// One pass from `input` to `out`. Returns `true` if the pass found values that it may have passed over before: another
    /// pass must then read what this one wrote.
    ///
    /// # Errors
    /// Whatever is wrong with the archive, the output or the scratch storage. The output is then worthless.
    pub fn pass(
        &mut self,
        input: &mut dyn Read,
        out: &mut dyn Write,
        scratch: &mut dyn Scratch,
    ) -> Result<bool, Error> {
        let mut input = BufReader::with_capacity(CHUNK, input);
        let rules = self.rules()?;
        let mut inventory = Inventory::default();
        let mut unreadable = Vec::new();
        let mut pass = Pass {
            plan: &self.plan,
            settings: &self.settings,
            rules: &rules,
            drops: &mut self.drops,
            layout: &mut self.layout,
            known: &mut self.known,
            found: &mut self.found,
            inventory: &mut inventory,
            unreadable: &mut unreadable,
            scratch,
            left: self.settings.max_members,
        };
        pass.run(&mut input, &mut Output(out))?;
        self.passes += 1;
        if self.passes == 1 {
            (self.inventory, self.unreadable) = (inventory, unreadable);
        }
        let (news, late) = (self.known.take_news(), self.layout.end_pass());
        match news || late {
            true if self.passes >= MAX_PASSES => Err(Error::NotSettled {
                passes: self.passes,
            }),
            again => Ok(again),
        }
    }

    /// Compares the last pass's output with what came in, and returns what was done.
    ///
    /// # Errors
    /// [`Error::BrokeArchive`] where the output must not be used.
    pub fn finish(self, output: &mut (impl Read + Seek)) -> Result<RedactionSummary, Error> {
        self.inventory.check(output)?;
        let (values_hidden, values_too_short) = self.known.counts();
        Ok(RedactionSummary {
            rules: self
                .plan
                .mask
                .iter()
                .enumerate()
                .map(|(at, rule)| self.rule(at, &rule.name))
                .collect(),
            dropped: self.dropped(),
            values_hidden,
            values_too_short,
            passes: self.passes,
            unreadable: self.unreadable,
        })
    }

    fn hear(&mut self, values: &[EnvValue]) -> Result<(), Error> {
        let rules = self.rules()?;
        for value in values
            .iter()
            .filter(|known| rules.selects(known.name.as_bytes()))
        {
            self.known.learn(&rules, &value.name, &value.value)?;
        }
        self.known.take_news();
        Ok(())
    }

    fn rules(&self) -> Result<Rules, Error> {
        Ok(Rules::compile(
            &self.plan,
            self.known.values(),
            &self.settings.search(),
        )?)
    }

    fn rule(&self, at: usize, name: &str) -> RuleSummary {
        let mine = self.found.iter().filter(|(rule, _, _)| *rule == at);
        let places = mine.map(|(_, place, count)| {
            (
                place,
                Masked {
                    masks: count.masks,
                    bytes: count.bytes,
                },
            )
        });
        RuleSummary {
            name: name.to_owned(),
            places: places.collect(),
        }
    }

    fn dropped(&self) -> Vec<DropSummary> {
        let counts = self.drops.counts();
        let rules = self.plan.drop.iter().zip(counts);
        rules
            .map(|(rule, entries)| DropSummary {
                name: rule.name.clone(),
                entry: rule.entry.clone(),
                entries,
            })
            .collect()
    }
}
