//! Which route a URL takes.

use std::collections::HashMap;

use http::Uri;

use super::{
    policy::Policy,
    prefix::{Prefix, scheme_of},
};
use crate::keys::by_authority;

/// Policies by prefix.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Routes {
    /// In the order of the file.
    list: Vec<(Prefix, Policy)>,
    map: Map,
}

/// Prefixes of one URL begin with each other, so it is enough to look for the longest path of its host, then for its scheme.
#[derive(Clone, Debug, Default, PartialEq)]
struct Map {
    schemes: HashMap<Box<str>, Scheme>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Scheme {
    any: Option<usize>,
    hosts: HashMap<Box<str>, Vec<(Box<str>, usize)>>,
}

impl Routes {
    /// Adds one after the others; if there is one of the same prefix, its number.
    pub(super) fn add(&mut self, prefix: Prefix, policy: Policy) -> Result<(), usize> {
        self.map.add(&prefix, self.list.len())?;
        self.list.push((prefix, policy));
        Ok(())
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &(Prefix, Policy)> {
        self.list.iter()
    }

    /// The number of the one that a URL takes.
    pub(super) fn find(&self, uri: &Uri) -> Option<usize> {
        self.map.find(uri)
    }
}

impl Map {
    fn add(&mut self, prefix: &Prefix, number: usize) -> Result<(), usize> {
        let Prefix { scheme, authority, path } = prefix;
        let scheme = self.schemes.entry(scheme.clone()).or_default();
        let Some(authority) = authority else {
            return scheme.any.replace(number).map_or(Ok(()), Err);
        };
        let paths = scheme.hosts.entry(authority.clone()).or_default();
        // The longest first. Of the same length only one can be the prefix of a path.
        let order = |(other, _): &(Box<str>, usize)| {
            path.len().cmp(&other.len()).then_with(|| other.cmp(path))
        };
        match paths.binary_search_by(order) {
            Ok(found) => Err(paths[found].1),
            Err(place) => {
                paths.insert(place, (path.clone(), number));
                Ok(())
            }
        }
    }

    /// The number of the longest prefix of `uri`.
    fn find(&self, uri: &Uri) -> Option<usize> {
        let scheme = self.schemes.get(&*scheme_of(uri)?)?;
        let of_host = || {
            let paths = scheme.hosts.get(&*by_authority(uri)?)?;
            let begins = |(path, _): &&(Box<str>, usize)| begins_with(uri.path(), path);
            paths.iter().find(begins).map(|(_, number)| *number)
        };
        of_host().or(scheme.any)
    }
}

/// Whether a path is this one or below it: `/v1` has `/v1/x` below it, not `/v10`.
fn begins_with(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
