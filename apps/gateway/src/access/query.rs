//! Removal of parameters from a query.

use std::borrow::Cow;

use http::{Uri, uri::PathAndQuery};

/// Returns the decoded name and value of each parameter, if one may have this name.
pub(super) fn parameters<'a>(
    uri: &'a Uri,
    name: &str,
) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
    // Most queries need no decoding to see that they do not have the parameter.
    let query = uri.query().filter(|query| {
        let bytes = query.as_bytes();
        bytes.contains(&b'%') || bytes.windows(name.len()).any(|part| part == name.as_bytes())
    });
    form_urlencoded::parse(query.unwrap_or_default().as_bytes())
}

/// Removes the parameters that match. All others keep their encoding.
pub(super) fn remove_parameters(uri: &mut Uri, matches: impl Fn(&str, &str) -> bool) {
    let matches = |parameter: &&str| {
        form_urlencoded::parse(parameter.as_bytes()).any(|(name, value)| matches(&name, &value))
    };
    let Some(query) = uri.query() else { return };
    let rest: Vec<_> = query.split('&').filter(|parameter| !matches(parameter)).collect();
    let rest = rest.join("&");
    if rest == query {
        return;
    }
    let question_mark = if rest.is_empty() { "" } else { "?" };
    let target: Result<PathAndQuery, _> = format!("{}{question_mark}{rest}", uri.path()).parse();
    let mut parts = uri.clone().into_parts();
    // A valid target without some parameters is still valid, so `/` is never used.
    parts.path_and_query = target.ok().or(Some(PathAndQuery::from_static("/")));
    *uri = Uri::from_parts(parts).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_key(text: &str) -> String {
        let mut uri = text.parse().unwrap();
        remove_parameters(&mut uri, |name, _| name == "key");
        uri.to_string()
    }

    #[test]
    fn remove_parameters_keeps_others_unchanged() {
        assert_eq!(
            without_key("http://h/a/b?key=five&alt=%73se&keys=6"),
            "http://h/a/b?alt=%73se&keys=6"
        );
        assert_eq!(without_key("/a?key=five"), "/a");
        assert_eq!(without_key("/a?b&k%65y=five&&c="), "/a?b&&c=");
        assert_eq!(without_key("/a?"), "/a?");
        assert_eq!(without_key("/a?&"), "/a?&");
        assert_eq!(without_key("*"), "*");
    }
}
