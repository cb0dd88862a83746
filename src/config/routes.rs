//! Selects the route of a URL.

use std::collections::HashMap;

use http::Uri;

use super::{
    normalize,
    policy::Policy,
    prefix::{Prefix, scheme_of},
};

/// Policies by prefix.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Routes {
    /// In file order.
    list: Vec<(Prefix, Policy)>,
    index: PrefixIndex,
}

/// Indexes routes by scheme, host and path.
///
/// All prefixes of a URL start with each other. The longest is therefore the longest path of its
/// host, or else the scheme alone.
#[derive(Clone, Debug, Default, PartialEq)]
struct PrefixIndex {
    schemes: HashMap<Box<str>, SchemeRoutes>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct SchemeRoutes {
    any_host: Option<usize>,
    /// The paths of each host, the longest first, with the index of their route.
    hosts: HashMap<Box<str>, Vec<(Box<str>, usize)>>,
}

impl Routes {
    /// Appends a route, or returns the index of the route with the same prefix.
    pub(super) fn add(&mut self, prefix: Prefix, policy: Policy) -> Result<(), usize> {
        self.index.add(&prefix, self.list.len())?;
        self.list.push((prefix, policy));
        Ok(())
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &(Prefix, Policy)> {
        self.list.iter()
    }

    /// Returns the index of the route with the longest prefix of `uri`.
    pub(super) fn find(&self, uri: &Uri) -> Option<usize> {
        self.index.find(uri)
    }
}

impl PrefixIndex {
    fn add(&mut self, prefix: &Prefix, index: usize) -> Result<(), usize> {
        let Prefix { scheme, authority, path } = prefix;
        let scheme = self.schemes.entry(scheme.clone()).or_default();
        let Some(authority) = authority else {
            return scheme.any_host.replace(index).map_or(Ok(()), Err);
        };
        let paths = scheme.hosts.entry(authority.clone()).or_default();
        // Only one path of a given length is a prefix of a URL, so any order among them will do.
        let longest_first = |(other, _): &(Box<str>, usize)| {
            path.len().cmp(&other.len()).then_with(|| other.cmp(path))
        };
        match paths.binary_search_by(longest_first) {
            Ok(found) => Err(paths[found].1),
            Err(position) => {
                paths.insert(position, (path.clone(), index));
                Ok(())
            }
        }
    }

    /// Returns the index of the route with the longest prefix of `uri`.
    fn find(&self, uri: &Uri) -> Option<usize> {
        let scheme = self.schemes.get(&*scheme_of(uri)?)?;
        let by_host = || {
            let paths = scheme.hosts.get(&*normalize::authority(uri)?)?;
            let path = normalize::path(uri.path());
            let matches = |(prefix, _): &&(Box<str>, usize)| is_same_or_below(&path, prefix);
            paths.iter().find(matches).map(|(_, index)| *index)
        };
        by_host().or(scheme.any_host)
    }
}

/// Returns `true` if `path` is `prefix` or below it: `/v1/x` is below `/v1`, `/v10` is not.
fn is_same_or_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
