//! From a row to what a log says.

use super::statements::MOST_NEWS;
use crate::row::column;
use larder_core::{Error, ErrorKind, Name, News, Position, Record, Result, Token};
use tokio_postgres::Row;

/// Behind the columns of the news comes what else was asked for.
pub(super) const REST: usize = 8;

/// Whether the row is of a log of which nothing is missing.
pub(super) fn is_whole(row: &Row) -> Result<bool> {
    column(row, 7)
}

/// Reads the news, for one who knows this position.
pub(super) fn news(row: &Row, known: Option<Position>) -> Result<News> {
    let number = |place| column::<i64>(row, place).map(i64::unsigned_abs);
    let position = Position { era: column::<i64>(row, 0)?.cast_unsigned(), number: number(1)? };
    let (floor, key_floor, told) = (number(2)?, number(3)?, number(4)?);
    let since = match known {
        Some(known) if known.era == position.era => {
            let is_told = known.number >= floor.max(key_floor) && told <= MOST_NEWS as u64;
            is_told.then(|| marks(row)).transpose()?
        }
        _ => Some(Vec::new()),
    };
    Ok(News { position, since, floor, key_floor })
}

fn marks(row: &Row) -> Result<Vec<(Name, u64)>> {
    let names = column::<Option<Vec<&[u8]>>>(row, 5)?.unwrap_or_default();
    let numbers = column::<Option<Vec<i64>>>(row, 6)?.unwrap_or_default();
    let name = |bytes| {
        let text = std::str::from_utf8(bytes).map_err(|_| {
            Error::new(ErrorKind::Corrupt, "a name in the log's table of marks that larder did not write")
        })?;
        Name::parse(text)
    };
    names.into_iter().zip(numbers).map(|(bytes, number)| Ok((name(bytes)?, number.unsigned_abs()))).collect()
}

/// Reads the record behind the news.
pub(super) fn record(row: &Row, most_bytes: u64) -> Result<Record> {
    let bytes = crate::row::value(row, REST, most_bytes)?;
    let token = column::<Option<&[u8]>>(row, REST + 2)?.map(|token| Token::new(token.to_vec()));
    Ok(match token {
        Some(token) => Record::new(bytes, token),
        None => Record::without_token(bytes),
    })
}

/// Reads the last numbers of names, of which so many were asked for.
pub(super) fn numbers(row: &Row, names: usize) -> Result<Vec<Option<u64>>> {
    let numbers = column::<Option<Vec<Option<i64>>>>(row, REST)?.unwrap_or_default();
    if numbers.len() != names {
        let message = format!("{} numbers for {names} names", numbers.len());
        return Err(Error::new(ErrorKind::Store, message));
    }
    Ok(numbers.into_iter().map(|number| number.map(i64::unsigned_abs)).collect())
}

/// Reads the tokens of the guards, in the order of the rows.
pub(super) fn tokens(row: &Row) -> Result<Vec<Token>> {
    let tokens = column::<Option<Vec<&[u8]>>>(row, REST)?.unwrap_or_default();
    Ok(tokens.into_iter().map(|token| Token::new(token.to_vec())).collect())
}
