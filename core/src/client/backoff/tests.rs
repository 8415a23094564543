use alloc::vec::Vec;

use super::*;

fn delays(config: &Config, seed: u8, count: usize) -> Vec<u64> {
    let mut entropy = Entropy::new([seed; 32]);
    let mut backoff = Backoff::default();
    (0..count).map(|_| backoff.next(config, &mut entropy).as_millis() as u64).collect()
}

#[test]
fn delays_double_up_to_the_limit() {
    let config = Config { randomization_percent: 0, ..Config::default() };
    assert_eq!(delays(&config, 1, 5), [1_000, 2_000, 4_000, 5_000, 5_000]);
}

#[test]
fn randomization_never_vanishes_and_never_exceeds_the_limit() {
    let config = Config::default();
    for seed in 0..20 {
        let delays = delays(&config, seed, 2_000);
        assert!((500..=1_500).contains(&delays[0]), "{}", delays[0]);
        assert!(delays[3..].iter().all(|delay| (2_500..=5_000).contains(delay)));
        let late = &delays[1_900..];
        assert!(late.iter().any(|delay| *delay < 3_500) && late.iter().any(|delay| *delay > 4_000));
    }
}

#[test]
fn absurd_settings_do_not_overflow() {
    let config = Config {
        reconnection_delay: Duration::MAX,
        reconnection_delay_max: Duration::MAX,
        randomization_percent: 255,
        ..Config::default()
    };
    delays(&config, 1, 100);
    let config = Config { reconnection_delay: Duration::ZERO, ..config };
    assert_eq!(delays(&config, 1, 3), [0, 0, 0]);
}

#[test]
fn only_a_connection_that_held_lets_the_delays_begin_anew() {
    let config = Config { randomization_percent: 0, ..Config::default() };
    let mut entropy = Entropy::new([0; 32]);
    let mut backoff = Backoff::default();
    backoff.next(&config, &mut entropy);
    backoff.lost_after(Duration::from_millis(4_999), &config);
    assert_eq!(backoff.next(&config, &mut entropy), Duration::from_millis(2_000));
    backoff.lost_after(Duration::from_millis(5_000), &config);
    assert_eq!(backoff.next(&config, &mut entropy), Duration::from_millis(1_000));
}
