//! Dates by counting days, to be read back.

const DAYS: [&str; 7] =
    ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment of the years from 1 to 9999.
pub struct Date {
    pub year: i64,
    month: usize,
    day: i64,
    weekday: usize,
    time: String,
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from the first of January of year 1 to that of `year`.
const fn days_before(year: i64) -> i64 {
    let past = year - 1;
    past * 365 + past / 4 - past / 100 + past / 400
}

impl Date {
    /// The date so many seconds after 1970 began.
    pub fn of(secs: i64) -> Option<Self> {
        let (days, rest) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
        let since_1 = days.checked_add(days_before(1970))?;
        let mut year = since_1 / 366 + 1;
        if !(0..days_before(10_000)).contains(&since_1) {
            return None;
        }
        while days_before(year + 1) <= since_1 {
            year += 1;
        }
        let mut day = since_1 - days_before(year);
        let mut month = 0;
        loop {
            let length = match month {
                1 => 28 + i64::from(is_leap(year)),
                3 | 5 | 8 | 10 => 30,
                _ => 31,
            };
            if day < length {
                break;
            }
            day -= length;
            month += 1;
        }
        let time = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
        Some(Self { year, month, day: day + 1, weekday: days.rem_euclid(7) as usize, time })
    }

    pub fn imf_fixdate(&self) -> String {
        let Self { year, day, time, .. } = self;
        let (weekday, month) = (&DAYS[self.weekday][..3], MONTHS[self.month]);
        format!("{weekday}, {day:02} {month} {year:04} {time} GMT")
    }

    pub fn asctime(&self) -> String {
        let Self { year, day, time, .. } = self;
        let (weekday, month) = (&DAYS[self.weekday][..3], MONTHS[self.month]);
        format!("{weekday} {month} {day:2} {time} {year:04}")
    }

    pub fn rfc_850(&self) -> String {
        let Self { year, day, time, .. } = self;
        let (weekday, month) = (DAYS[self.weekday], MONTHS[self.month]);
        format!("{weekday}, {day:02}-{month}-{:02} {time} GMT", year % 100)
    }

    pub fn rfc_3339(&self) -> String {
        let Self { year, day, time, .. } = self;
        format!("{year:04}-{:02}-{day:02}T{time}Z", self.month + 1)
    }
}
