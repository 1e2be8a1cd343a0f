//! Quantiles of durations in bounded memory.

/// A histogram of durations with 32 steps for each power of two, so that quantiles are at most 1/32 too long.
pub(super) struct Durations {
    steps: Vec<u64>,
    count: u64,
}

impl Durations {
    const STEPS: u64 = 32;

    pub(super) fn new() -> Self {
        Self {
            steps: vec![0; 64 * 32],
            count: 0,
        }
    }

    pub(super) fn add(&mut self, microseconds: u64) {
        let index = usize::try_from(Self::step_of(microseconds)).unwrap_or(usize::MAX);
        if let Some(step) = self.steps.get_mut(index) {
            *step = step.saturating_add(1);
            self.count = self.count.saturating_add(1);
        }
    }

    /// The duration in microseconds that `percent` of all durations do not exceed; `None` without durations.
    pub(super) fn quantile(&self, percent: u64) -> Option<u64> {
        let wanted = self.count.saturating_mul(percent).div_ceil(100).max(1);
        let mut seen = 0_u64;
        let step = self.steps.iter().position(|count| {
            seen = seen.saturating_add(*count);
            seen >= wanted
        })?;
        Some(Self::largest_of(step as u64))
    }

    /// The step of a value: the value itself below 32, then its exponent and the five bits after the leading one.
    fn step_of(value: u64) -> u64 {
        if value < Self::STEPS {
            return value;
        }
        let exponent = u64::from(value.ilog2()) - 5;
        (exponent + 1) * Self::STEPS + ((value >> exponent) - Self::STEPS)
    }

    /// The largest value of a step.
    fn largest_of(step: u64) -> u64 {
        if step < Self::STEPS {
            return step;
        }
        let exponent = step / Self::STEPS - 1;
        let first = step % Self::STEPS + Self::STEPS;
        u64::try_from(
            (u128::from(first) + 1)
                .checked_shl(u32::try_from(exponent).unwrap_or(64))
                .unwrap_or(u128::MAX)
                - 1,
        )
        .unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn has_no_quantile_without_durations() {
        assert_eq!(Durations::new().quantile(50), None);
    }

    proptest! {
        #[test]
        fn quantiles_are_exact_within_a_step(
            mut values in prop::collection::vec(any::<u64>(), 1..50),
            percent in 1_u64..=100,
        ) {
            let mut durations = Durations::new();
            for value in &values {
                durations.add(*value);
            }
            values.sort_unstable();
            let at = (values.len() as u64 * percent).div_ceil(100) - 1;
            let exact = values[usize::try_from(at).unwrap()];
            let found = durations.quantile(percent).unwrap();
            prop_assert!(found >= exact && found - exact <= exact / 32, "{exact} {found}");
        }
    }
}
