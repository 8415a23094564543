use std::string::ToString;

use super::*;

#[test]
fn counts_microseconds() {
    assert_eq!(Timestamp::from_micros(17).as_micros(), 17);
    assert_eq!(Timestamp::from_millis(17).as_micros(), 17_000);
    assert_eq!(Timestamp::from_millis(u64::MAX).as_micros(), u64::MAX);
    assert_eq!(Timestamp::ZERO.as_micros(), 0);
    assert_eq!((Timestamp::from_millis(1) + Duration::from_micros(5)).as_micros(), 1_005);
    assert_eq!((Timestamp::from_micros(1) + Duration::MAX).as_micros(), u64::MAX);
}

#[test]
fn differences_are_never_negative() {
    let (earlier, later) = (Timestamp::from_micros(3), Timestamp::from_micros(10));
    assert_eq!(later.saturating_duration_since(earlier), Duration::from_micros(7));
    assert_eq!(earlier.saturating_duration_since(later), Duration::ZERO);
}

#[test]
fn is_shown_in_seconds() {
    assert_eq!(Timestamp::from_micros(12_000_345).to_string(), "12.000345s");
}
