//! Dates, as `Date.prototype.toJSON` writes them.

use alloc::format;
use alloc::vec::Vec;

const DAY: i64 = 86_400_000;
/// Milliseconds: 100 million days. JavaScript knows no date that is further from 1970.
const DATE_MAX: u64 = 100_000_000 * DAY.unsigned_abs();

/// Appends the date that is so many milliseconds after the beginning of 1970, in UTC.
pub(super) fn write(json: &mut Vec<u8>, milliseconds: i64) {
    if milliseconds.unsigned_abs() > DATE_MAX {
        return json.extend_from_slice(b"null");
    }
    let (year, month, day) = calendar(milliseconds.div_euclid(DAY));
    let rest = milliseconds.rem_euclid(DAY);
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, millisecond) = (rest / 1000 % 60, rest % 1000);
    let year = match year {
        0..=9999 => format!("{year:04}"),
        _ => format!("{year:+07}"),
    };
    let text = format!(
        "\"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z\""
    );
    json.extend_from_slice(text.as_bytes());
}

/// Year, month and day of the day that is so many after 1 January 1970, in the Gregorian calendar.
///
/// Years are counted from March, so that the day that is not always there is the last of its year,
/// and months have 153 days in every five.
fn calendar(days: i64) -> (i64, i64, i64) {
    const DAYS_OF_400_YEARS: i64 = 146_097;
    /// From 1 March of the year 0 to 1 January 1970.
    const EPOCH: i64 = 719_468;
    let days = days + EPOCH;
    let (cycle, day) = (days.div_euclid(DAYS_OF_400_YEARS), days.rem_euclid(DAYS_OF_400_YEARS));
    // Without the days by which leap years are longer, a year has 365.
    let leaps = day / 1460 - day / 36_524 + day / (DAYS_OF_400_YEARS - 1);
    let year = (day - leaps) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (cycle * 400 + year + next_year, month, day_of_month)
}
