//! Carries out a redaction, pass by pass.

use std::io::{BufReader, Read, Seek, Write};
use std::sync::Arc;

use gateway_core::{
    CredentialReport, DropSummary, Finding, Masked, Place, Plan, RedactionSummary, RuleSummary,
};

use super::budget::Budget;
use super::dropped_members::DroppedMembers;
use super::drops::DropList;
use super::inventory::Inventory;
use super::known_values::{KnownValues, Wanted};
use super::layout::Layout;
use super::nested::Notes;
use super::open_files::OpenFiles;
use super::pass::Pass;
use super::passed_over::{NotLookedAt, PassedOver};
use super::paths::Paths;
use super::plan_check::check_plan;
use super::settings::RedactionSettings;
use super::spool::Shared;
use super::texts::TextMasker;
use crate::Error;
use crate::credential_report::report;
use crate::finding_list::FindingList;
use crate::scratch::Scratch;
use crate::search::{EnvValue, Rules, Tally};
use crate::sink::Output;

/// The most passes over one archive. The second knows all that the first learnt.
const MAX_PASSES: u32 = 3;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;

/// A plan for one archive, with the values and settings to carry it out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redaction {
    /// The plan.
    pub plan: Plan,
    /// The container's environment, as far as the caller knows it. Each value that is known saves the archive a second pass.
    pub values: Vec<EnvValue>,
    /// Names of the container: of its pod, its namespace, itself. As values of variables, they are ordinary text.
    pub names: Vec<String>,
    /// The mask byte and the bounds.
    pub settings: RedactionSettings,
}

/// The result of a redaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redacted {
    /// What was masked and left out.
    pub summary: RedactionSummary,
    /// What the archive's receiver should know of it, the fatal findings first. [`findings()`](crate::findings()) lists those
    /// that the archive itself shows.
    pub findings: Vec<Finding>,
}

/// Carries out a [`Redaction`]: [`Redactor::pass`] until that returns `false`, then [`Redactor::finish`]. No `Debug`: it holds
/// secrets.
pub struct Redactor {
    plan: Plan,
    settings: RedactionSettings,
    drops: DropList,
    layout: Layout,
    known: KnownValues,
    /// Learns what `known` learns, for texts about the container.
    texts: TextMasker,
    found: Tally,
    /// The members of the input, without those that were left out.
    inventory: Inventory,
    unreadable: Vec<String>,
    passed_over: NotLookedAt,
    /// Of all passes.
    findings: FindingList,
    open: OpenFiles,
    /// Contents that the first pass could not search or mask.
    notes: Notes,
    paths: Paths,
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
            names,
            settings,
        } = redaction;
        check_plan(&plan, &settings)?;
        let mut redactor = Self {
            drops: DropList::new(&plan)?,
            layout: Layout::new(searches_memory(&plan)),
            known: KnownValues::new(&plan, &settings),
            texts: TextMasker::new(settings.mask),
            found: Tally::default(),
            inventory: Inventory::default(),
            unreadable: Vec::new(),
            passed_over: NotLookedAt::default(),
            findings: FindingList::default(),
            open: OpenFiles::default(),
            notes: Notes::default(),
            paths: Paths::new(settings.paths),
            passes: 0,
            plan,
            settings,
        };
        for name in &names {
            redactor.known.names().add(name.as_bytes());
        }
        redactor.learn(&values)?;
        Ok(redactor)
    }

    /// One pass from `input` to `out`. Returns `true` if the pass found values of which it may have missed copies: another
    /// pass must then read what this one wrote.
    ///
    /// # Errors
    /// Any error of the archive, the output or the scratch storage. The output must then be thrown away.
    pub fn pass(
        &mut self,
        input: &mut dyn Read,
        out: &mut dyn Write,
        scratch: &mut dyn Scratch,
    ) -> Result<bool, Error> {
        let mut input = BufReader::with_capacity(CHUNK, input);
        let rules = self.compile()?;
        let mut inventory = Inventory::default();
        let (mut unreadable, mut notes) = (Vec::new(), Notes::default());
        let settings = &self.settings;
        let storage = Shared::new(scratch);
        let budget = Budget::new(settings.max_unpacked_bytes, settings.max_members);
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
            passed_over: &mut self.passed_over,
            paths: &mut self.paths,
            storage: &storage,
            dropped: DroppedMembers::default(),
            budget: &budget,
            open: &mut self.open,
            notes: &mut notes,
        };
        let ended = pass.run(&mut input, &mut Output(out));
        // Texts about the container are written after a failed pass, too.
        let taught = self.teach();
        ended?;
        taught?;
        self.passes += 1;
        if self.passes == 1 {
            (self.inventory, self.unreadable, self.notes) = (inventory, unreadable, notes);
        } else {
            // What the first pass kept is noted; what a later one leaves out is not.
            self.notes.extend_dropped(notes);
        }
        let (learnt, late) = (self.known.take_changed(), self.layout.end_pass());
        let again = learnt || late;
        if again && self.passes >= MAX_PASSES {
            return Err(Error::NotSettled {
                passes: self.passes,
            });
        }
        Ok(again)
    }

    /// Compares the last pass's output with the first pass's input, and returns what was done.
    ///
    /// # Errors
    /// [`Error::BrokeArchive`] if the output must not be used.
    pub fn finish(self, output: &mut (impl Read + Seek)) -> Result<Redacted, Error> {
        self.inventory
            .check(output, |id| self.layout.has_unpacked(id))?;
        let summary = self.summary()?;
        let mut findings = self.findings;
        self.paths.report(&mut findings);
        Ok(Redacted {
            summary,
            findings: findings.into_vec(),
        })
    }

    /// Forgets what earlier passes found, before another pass over the same archive.
    pub(crate) fn forget_matches(&mut self) {
        self.found = Tally::default();
        self.passed_over = NotLookedAt::default();
    }

    /// Contents that were not looked at.
    pub(crate) fn not_looked_at(&self) -> NotLookedAt {
        let mut all = self.passed_over.clone();
        let opaque = self.notes.summary();
        all.not_named = all.not_named.saturating_add(opaque.not_named);
        for content in opaque.contents {
            all.add(PassedOver {
                place: content.place,
                bytes: content.bytes,
                reason: content.reason,
            });
        }
        all
    }

    /// What was done.
    pub(crate) fn summary(&self) -> Result<RedactionSummary, Error> {
        let (values_hidden, values_too_short) = self.known.counts();
        let rules = self.plan.mask.iter().enumerate();
        Ok(RedactionSummary {
            rules: rules.map(|(at, rule)| self.rule(at, &rule.name)).collect(),
            dropped: self.dropped(),
            values_hidden,
            values_too_short,
            common_values: self.known.common_names(),
            passes: self.passes,
            unreadable: self.unreadable.clone(),
            credentials: self.credentials()?,
            opaque: self.notes.summary(),
        })
    }

    /// A masker for texts about the container. It hides what the plan and the values that are known hide, and from the end
    /// of each pass on what that pass has learnt.
    pub fn texts(&self) -> TextMasker {
        self.texts.clone()
    }

    fn teach(&self) -> Result<(), Error> {
        let settings = self.settings.search();
        self.texts.set_values(&self.known.wanted(), &settings)
    }

    /// Learns the values that the caller knows.
    fn learn(&mut self, values: &[EnvValue]) -> Result<(), Error> {
        let rules = Arc::new(self.compile()?);
        for EnvValue { name, value } in values {
            if rules.selects(name.as_bytes()) {
                self.known.learn(&rules, name, value)?;
            } else {
                self.known.pass_over(&rules, name.as_bytes(), value)?;
            }
        }
        self.known.take_changed();
        self.texts.set_plan(rules);
        self.teach()
    }

    /// The credentials that were found, if the settings ask for them.
    fn credentials(&self) -> Result<Option<CredentialReport>, Error> {
        if self.settings.credentials.is_none() {
            return Ok(None);
        }
        let rules = self.compile()?;
        let mask = |name: &str| {
            let mut name = name.as_bytes().to_vec();
            rules.mask_whole(Place::Files, &mut name, &mut Tally::default());
            String::from_utf8_lossy(&name).into_owned()
        };
        let processes = self.layout.processes();
        Ok(Some(report(&self.found, &self.plan, processes, mask)))
    }

    fn compile(&self) -> Result<Rules, Error> {
        let settings = self.settings.search();
        let Wanted { everywhere, named } = self.known.wanted();
        Ok(Rules::compile_with(
            &self.plan,
            &everywhere,
            &named,
            &settings,
        )?)
    }

    fn rule(&self, at: usize, name: &str) -> RuleSummary {
        let found = self.found.iter().filter(|(rule, _, _)| *rule == at);
        let places = found.map(|(_, place, count)| {
            let masked = Masked {
                masks: count.masks,
                bytes: count.bytes,
            };
            (place, masked)
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

/// Whether a rule looks for something in memory pages.
fn searches_memory(plan: &Plan) -> bool {
    let mut rules = plan.mask.iter();
    rules.any(|rule| rule.places.contains(&Place::Memory))
}
