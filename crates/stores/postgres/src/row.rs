//! Between the columns of a row and what they mean.

use bytes::{BufMut, Bytes, BytesMut};
use larder_core::{Clock, Error, ErrorKind, Result, SystemClock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// The last moment of the year 9999. Later deadlines are this one.
const LATEST: Duration = Duration::from_secs(253_402_300_799);

/// Makes the parameters of a statement.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$(Box::new($value) as Box<dyn tokio_postgres::types::ToSql + Send + Sync>),*]
    };
}
pub(crate) use values;

/// Bytes as a parameter, without a copy of their own.
#[derive(Clone, Debug)]
pub(crate) struct Raw(pub(crate) Bytes);

impl From<[u8; 16]> for Raw {
    fn from(hash: [u8; 16]) -> Self {
        Raw(Bytes::copy_from_slice(&hash))
    }
}

impl ToSql for Raw {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::BYTEA
    }

    to_sql_checked!();
}

/// Refuses more bytes than a value may have.
pub(crate) fn check_size(bytes: u64, most: u64) -> Result<()> {
    if bytes <= most {
        return Ok(());
    }
    let message =
        format!("a value of {bytes} bytes, where {most} are allowed; `.max_value_bytes(n)` allows more");
    Err(Error::new(ErrorKind::TooLarge, message))
}

/// Reads the two columns that say what is under a key.
pub(crate) fn value(row: &tokio_postgres::Row, place: usize, most: u64) -> Result<Option<Bytes>> {
    let length: Option<i32> = column(row, place + 1)?;
    check_size(u64::try_from(length.unwrap_or(0)).unwrap_or(0), most)?;
    Ok(column::<Option<&[u8]>>(row, place)?.map(Bytes::copy_from_slice))
}

/// Reads a column, whose type is known since the table was looked at.
pub(crate) fn column<'a, T: FromSql<'a>>(row: &'a tokio_postgres::Row, column: usize) -> Result<T> {
    row.try_get(column).map_err(Error::store)
}

/// Returns the time of day by which deadlines are judged.
pub(crate) fn now() -> SystemTime {
    SystemClock.wall()
}

/// Returns the deadline of what lasts `span` from now.
pub(crate) fn from_now(span: Duration) -> SystemTime {
    timestamp(now().checked_add(span).unwrap_or(UNIX_EPOCH + LATEST))
}

/// Returns a deadline that a column can hold, and that is not earlier than the one given: the server counts microseconds.
pub(crate) fn timestamp(deadline: SystemTime) -> SystemTime {
    let since = deadline.duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = since.as_nanos().div_ceil(1_000);
    UNIX_EPOCH + u64::try_from(micros).map_or(LATEST, Duration::from_micros).min(LATEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_kept_to_the_microsecond_and_never_earlier() {
        let at = |nanos| UNIX_EPOCH + Duration::from_nanos(nanos);
        assert_eq!(timestamp(at(1_000)), at(1_000));
        assert_eq!(timestamp(at(1_001)), at(2_000));
    }

    #[test]
    fn deadlines_that_no_column_can_hold_are_the_nearest_that_it_can() {
        assert_eq!(timestamp(UNIX_EPOCH - Duration::from_secs(1)), UNIX_EPOCH);
        let far = UNIX_EPOCH + Duration::from_secs(u64::try_from(i64::MAX).unwrap());
        assert_eq!(timestamp(far), UNIX_EPOCH + LATEST);
        assert_eq!(from_now(Duration::MAX), UNIX_EPOCH + LATEST);
    }
}
