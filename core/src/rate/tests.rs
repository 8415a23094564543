use alloc::vec::Vec;
use core::time::Duration;

use proptest::prelude::*;

use super::*;

fn at(micros: u64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// Takes as many units one by one as there are.
fn drain(bucket: &mut Bucket, now: Timestamp) -> usize {
    let mut taken = 0;
    while bucket.holds(now, 1) {
        bucket.take(now, 1);
        taken += 1;
    }
    taken
}

#[test]
fn a_bucket_holds_its_burst_and_fills_at_its_rate() {
    let mut bucket = Bucket::full(Rate::per_second(10).burst(3), at(0));
    assert_eq!(drain(&mut bucket, at(0)), 3);
    assert_eq!(bucket.ready_at(), Some(at(100_000)));
    assert!(!bucket.holds(at(99_999), 1));
    assert!(bucket.holds(at(100_000), 1));
    assert_eq!(bucket.ready_at(), None);
    assert!(!bucket.holds(at(199_999), 2));
    assert!(bucket.holds(at(200_000), 2));
    // Not more than the burst, however long it takes.
    assert_eq!(drain(&mut bucket, at(u64::MAX)), 3);
}

#[test]
fn what_is_owed_must_be_gained_first() {
    let mut bucket = Bucket::full(Rate::per_second(1_000).burst(10), at(5));
    bucket.take(at(5), 1_010);
    assert_eq!(bucket.ready_at(), Some(at(5 + 1_001_000)));
    assert!(!bucket.holds(at(5 + 1_000_999), 1));
    assert!(bucket.holds(at(5 + 1_001_000), 1));
}

#[test]
fn time_that_goes_back_gives_nothing() {
    let mut bucket = Bucket::full(Rate::per_second(1).burst(1), at(1_000_000));
    bucket.take(at(0), 1);
    assert!(!bucket.holds(at(0), 1));
    assert!(!bucket.holds(at(1_999_999), 1));
    assert!(bucket.holds(at(2_000_000), 1));
}

#[test]
fn absurd_rates_do_not_overflow() {
    for (per_second, burst) in [(0, 0), (u32::MAX, u32::MAX), (u32::MAX, 0), (0, u32::MAX)] {
        let rate = Rate::per_second(per_second).burst(burst);
        let mut bucket = Bucket::full(rate, at(0));
        for _ in 0..3 {
            bucket.take(at(0), usize::MAX);
        }
        assert!(bucket.ready_at().is_some_and(|ready| ready > at(0)));
        assert!(!bucket.holds(at(1), 1));
        assert!(bucket.holds(at(u64::MAX), 0) || bucket.level < 0);
    }
}

#[test]
fn a_refused_event_takes_nothing_of_either_rate() {
    let limit = RateLimit::new().events(Rate::per_second(2)).bytes(Rate::per_second(100));
    let mut allowance = Allowance::new(&limit, at(0));
    assert_eq!(allowance.check(at(0), 101), Err(ExceededRate::Bytes));
    assert_eq!(allowance.check(at(0), 100), Ok(()));
    allowance.take(at(0), 100);
    assert_eq!(allowance.check(at(0), 1), Err(ExceededRate::Bytes));
    assert_eq!(allowance.check(at(0), 0), Ok(()));
    allowance.take(at(0), 0);
    assert_eq!(allowance.check(at(0), 0), Err(ExceededRate::Events));
    assert_eq!(allowance.exhausted(), Some((ExceededRate::Events, at(500_000))));
    assert!(allowance.check(at(500_000), 50).is_ok());
    assert_eq!(allowance.exhausted(), None);
    let exceeded = Some(ExceededRate::Bytes);
    assert!(allowance.note(exceeded) && !allowance.note(exceeded));
    assert!(!allowance.note(None) && allowance.note(exceeded));
}

proptest! {
    /// Of each stretch of time, not only from the beginning.
    #[test]
    fn never_more_than_the_burst_and_what_the_time_gives(
        per_second in 0..10_000_u32,
        burst in 0..10_000_u32,
        attempts in prop::collection::vec((0..2_000_000_u64, 0..20_000_usize), 1..60),
    ) {
        let rate = Rate::per_second(per_second).burst(burst);
        let (per_second, burst) = (u128::from(per_second.max(1)), u128::from(burst.max(1)));
        let mut bucket = Bucket::full(rate, at(0));
        let mut now = 0;
        let mut admitted: Vec<(u64, u128)> = Vec::new();
        for (pause, units) in attempts {
            now += pause;
            if bucket.holds(at(now), units) {
                bucket.take(at(now), units);
                admitted.push((now, units as u128));
            }
        }
        for (index, (first, _)) in admitted.iter().enumerate() {
            let mut sum = 0;
            for (last, units) in &admitted[index..] {
                sum += units;
                let allowed = burst * 1_000_000 + per_second * u128::from(last - first);
                prop_assert!(sum * 1_000_000 <= allowed, "{sum} from {first} to {last}");
            }
        }
    }

    /// Who waits as he is told gets all that the rate gives, to the microsecond.
    #[test]
    fn it_is_ready_when_it_says(
        per_second in 1..100_000_u32,
        burst in 1..1_000_u32,
        debts in prop::collection::vec(0..5_000_usize, 1..30),
    ) {
        let mut bucket = Bucket::full(Rate::per_second(per_second).burst(burst), at(0));
        let mut now = at(0);
        for units in debts {
            prop_assert!(bucket.holds(now, 1));
            bucket.take(now, units);
            if let Some(ready) = bucket.ready_at() {
                prop_assert!(ready > now);
                prop_assert!(!bucket.holds(at(ready.as_micros() - 1), 1));
                now = ready;
            }
            now = now + Duration::from_micros(1);
        }
    }
}
