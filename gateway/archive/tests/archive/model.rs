//! Random sequences of steps, compared with a model of the store.

use std::collections::BTreeMap;

use gateway_archive::{Error, Filter, Store};
use gateway_core::{Checkpoint, Transport};
use proptest::prelude::*;

use crate::catalog::{all, hold};
use crate::support::{Home, id, info, intake, open, tar};

#[derive(Debug, Clone)]
enum Step {
    Publish { pod: u8 },
    Delete(usize),
    Hold(usize),
    Release(usize),
    Reopen,
}

/// A checkpoint, by its number among all that were ever published: it may be deleted already.
fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..3).prop_map(|pod| Step::Publish { pod }),
        2 => (0usize..12).prop_map(Step::Delete),
        2 => (0usize..12).prop_map(Step::Hold),
        1 => (0usize..12).prop_map(Step::Release),
        1 => Just(Step::Reopen),
    ]
}

struct World {
    home: Home,
    store: Option<Store>,
    model: BTreeMap<u128, Checkpoint>,
    published: u128,
}

impl World {
    fn new() -> Self {
        let home = Home::new();
        Self {
            store: Some(home.store()),
            home,
            model: BTreeMap::new(),
            published: 0,
        }
    }

    async fn apply(&mut self, step: Step) {
        let store = self.store.clone().unwrap();
        match step {
            Step::Publish { pod } => self.publish(&store, pod).await,
            Step::Delete(number) => {
                match (
                    store.delete(id(number as u128)),
                    self.model.get(&(number as u128)),
                ) {
                    (Err(Error::Held { .. }), Some(model)) => assert!(model.hold.is_some()),
                    (deleted, model) => {
                        assert_eq!(deleted.unwrap().as_ref(), model);
                        self.model.remove(&(number as u128));
                    }
                }
            }
            Step::Hold(number) => {
                let held = store.hold(id(number as u128), &hold("alice")).unwrap();
                let model = self.model.get_mut(&(number as u128)).map(|model| {
                    model.hold = Some(hold("alice"));
                    model.clone()
                });
                assert_eq!(held, model);
            }
            Step::Release(number) => {
                let released = store.release(id(number as u128)).unwrap();
                let model = self.model.get_mut(&(number as u128)).map(|model| {
                    model.hold = None;
                    model.clone()
                });
                assert_eq!(released, model);
            }
            Step::Reopen => {
                drop(store);
                self.store = None;
                self.store = Some(self.home.store());
            }
        }
    }

    async fn publish(&mut self, store: &Store, pod: u8) {
        let number = self.published;
        self.published += 1;
        let intake = intake(store, number, Transport::File).await;
        std::io::Write::write_all(&mut open(intake.location()), &tar(9_000)).unwrap();
        let target = format!("shop/cart-{pod}/app").parse().unwrap();
        let info = gateway_archive::CheckpointInfo {
            target,
            ..info(number)
        };
        self.model
            .insert(number, intake.publish(info).await.unwrap());
    }

    fn check(&self) {
        let store = self.store.as_ref().unwrap();
        let expected: Vec<_> = self.model.values().rev().cloned().collect();
        assert_eq!(all(store), expected);
        for pod in ["cart-0", "cart-1", "cart-2"] {
            let of_pod: Vec<_> = expected
                .iter()
                .filter(|one| one.target.pod() == pod)
                .cloned()
                .collect();
            let filter = Filter {
                pod: Some(pod.to_owned()),
                ..Filter::default()
            };
            assert_eq!(store.list(&filter, None, 1000).unwrap().checkpoints, of_pod);
            let target = format!("shop/{pod}/app").parse().unwrap();
            assert_eq!(store.latest(&target).unwrap().as_ref(), of_pod.first());
        }
        let held = expected.iter().filter(|one| one.hold.is_some()).count();
        assert_eq!(
            self.home.published().len(),
            2 * expected.len() + held,
            "and no file is left over"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_sequence_of_steps_matches_the_model(steps in prop::collection::vec(step(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut world = World::new();
        for step in steps {
            runtime.block_on(world.apply(step));
            world.check();
        }
    }
}
