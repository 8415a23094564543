//! The world, in the seconds that a test has: random episodes, the same one again, the same one on
//! another number of shards, and small ones in full.

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use sansocket_tests::choices::Choices;
use sansocket_tests::world::{Options, Trace, run, run_bytes, small};

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/world.regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_input_breaks_an_invariant(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        if let Err(violation) = run_bytes(&bytes, &Options::default()) {
            return Err(TestCaseError::fail(format!("{violation:?}")));
        }
    }
}

/// The bytes of an episode.
fn episode(seed: u64) -> Vec<u8> {
    let mut choices = Choices::from_seed(seed);
    let options = Options { steps_max: Some(400), ..Options::default() };
    run(&mut choices, &options, &mut Trace::new(false)).expect("no violation");
    choices.into_bytes()
}

#[test]
fn the_same_input_gives_the_same_trace() {
    for seed in 0..8 {
        let bytes = episode(seed);
        let first = run_bytes(&bytes, &Options::default());
        let second = run_bytes(&bytes, &Options::default());
        assert_eq!(first.expect("no violation"), second.expect("no violation"), "seed {seed}");
    }
}

#[test]
fn clients_cannot_tell_how_many_shards_there_are() {
    for seed in 0..8 {
        let bytes = episode(seed);
        let told = |shards, reversed| {
            let options = Options { shards: Some(shards), reversed, ..Options::default() };
            run_bytes(&bytes, &options).expect("no violation").clients
        };
        let one = told(1, false);
        for (shards, reversed) in [(2, false), (2, true), (3, false), (3, true)] {
            assert_eq!(told(shards, reversed), one, "seed {seed}, {shards} shards");
        }
    }
}

#[test]
fn every_small_upgrade_is_sound() {
    // `cargo xtask test` runs those of six moves, with the optimised simulator.
    let worlds = small::run_all(4).expect("no violation");
    assert_eq!(worlds, 9 * 9 * 9);
}

#[test]
fn a_world_without_a_step_is_sound() {
    let report = run_bytes(&[], &Options::default()).expect("no violation");
    assert_eq!(report.steps, 0);
}
