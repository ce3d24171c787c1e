//! One page of a list of objects.

use super::buckets::{Bucket, Object};
use super::xml;
use std::collections::HashMap;
use std::ops::Bound;

const LARGEST_PAGE: usize = 1_000;

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Query<'a> {
    prefix: &'a str,
    delimiter: Option<&'a str>,
    /// Only what comes behind.
    after: &'a str,
    largest: usize,
}

/// What stands in the list.
enum Item<'a> {
    Object(&'a str, &'a Object),
    /// What several keys begin with, up to the delimiter.
    Prefix(&'a str),
}

impl<'a> Query<'a> {
    /// A token of continuation is the last thing of the page before: a client is to send it back, and not to look
    /// at it.
    pub(super) fn of(parameters: &'a HashMap<String, String>) -> Self {
        let parameter =
            |name: &str| parameters.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let largest = parameter("max-keys").and_then(|number| number.parse().ok()).unwrap_or(LARGEST_PAGE);
        Query {
            prefix: parameter("prefix").unwrap_or_default(),
            delimiter: parameter("delimiter"),
            after: parameter("continuation-token").or_else(|| parameter("start-after")).unwrap_or_default(),
            largest: largest.clamp(1, LARGEST_PAGE),
        }
    }

    /// Returns the page as XML.
    pub(super) fn page(&self, bucket: &Bucket) -> String {
        let mut items = self.items(bucket);
        let page: Vec<_> = items.by_ref().take(self.largest).collect();
        let next = if items.next().is_some() { page.last().map(Item::name) } else { None };

        let mut answer = xml::Answer::new("ListBucketResult");
        for item in &page {
            match item {
                Item::Object(key, object) => answer.nested("Contents", |contents| {
                    contents.text("Key", key);
                    contents.text("Generation", &object.generation.to_string());
                    contents.text("LastModified", &xml::date(object.modified));
                    contents.text("ETag", &object.e_tag);
                    contents.text("Size", &object.content.len().to_string());
                }),
                Item::Prefix(prefix) => answer.nested("CommonPrefixes", |it| it.text("Prefix", prefix)),
            }
        }
        answer.text("IsTruncated", if next.is_some() { "true" } else { "false" });
        if let Some(token) = next {
            answer.text("NextContinuationToken", token);
        }
        answer.end()
    }

    fn items<'b>(&'b self, bucket: &'b Bucket) -> impl Iterator<Item = Item<'b>> {
        // Keys with the prefix stand next to each other, so that the first without ends the list.
        let from =
            if self.after < self.prefix { Bound::Included(self.prefix) } else { Bound::Excluded(self.after) };
        let objects = bucket.objects.range::<str, _>((from, Bound::Unbounded));
        let objects = objects.take_while(|(key, _)| key.starts_with(self.prefix));
        let items = objects.map(|(key, object)| match self.common_prefix(key) {
            Some(prefix) => Item::Prefix(prefix),
            None => Item::Object(key, object),
        });
        let mut last = self.after;
        items.filter(move |item| match item {
            Item::Object(..) => true,
            Item::Prefix(prefix) => std::mem::replace(&mut last, prefix) != *prefix,
        })
    }

    /// The key up to the first delimiter behind the prefix.
    fn common_prefix<'b>(&self, key: &'b str) -> Option<&'b str> {
        let delimiter = self.delimiter?;
        let place = key[self.prefix.len()..].find(delimiter)?;
        Some(&key[..self.prefix.len() + place + delimiter.len()])
    }
}

impl<'a> Item<'a> {
    fn name(&self) -> &'a str {
        match self {
            Item::Object(name, _) | Item::Prefix(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::conditions::Expected;
    use super::*;
    use axum::http::HeaderMap;
    use bytes::Bytes;

    fn bucket(keys: &[&str]) -> Bucket {
        let mut bucket = Bucket::default();
        for key in keys {
            bucket.put(key, &Expected::Anything, 1, Bytes::new(), HeaderMap::new()).unwrap();
        }
        bucket
    }

    /// All pages, each with its names.
    fn pages(bucket: &Bucket, prefix: &str, delimiter: Option<&str>, largest: usize) -> Vec<String> {
        let (mut pages, mut after) = (Vec::new(), String::new());
        loop {
            let query = Query { prefix, delimiter, after: &after, largest };
            let names: Vec<_> =
                query.items(bucket).take(largest).map(|item| item.name().to_owned()).collect();
            let Some(last) = names.last() else { return pages };
            pages.push(names.join(" "));
            after = last.clone();
        }
    }

    #[test]
    fn pages_go_on_where_the_last_one_ended() {
        let bucket = bucket(&["a", "b/1", "b/2", "b/3", "c"]);
        assert_eq!(pages(&bucket, "", None, 2), ["a b/1", "b/2 b/3", "c"]);
        assert_eq!(pages(&bucket, "b/", None, 2), ["b/1 b/2", "b/3"]);
    }

    #[test]
    fn folders_are_told_once_also_where_a_page_ends_with_one() {
        let bucket = bucket(&["a", "b/1", "b/2", "c/1", "d"]);
        assert_eq!(pages(&bucket, "", Some("/"), 10), ["a b/ c/ d"]);
        assert_eq!(pages(&bucket, "", Some("/"), 1), ["a", "b/", "c/", "d"]);
        assert_eq!(pages(&bucket, "b/", Some("/"), 10), ["b/1 b/2"]);
    }
}
