//! The client credentials of a request.

use http::{
    HeaderMap, HeaderName, Uri,
    header::{AUTHORIZATION, COOKIE},
    uri::PathAndQuery,
};

/// The headers with the API key: `authorization` (OpenAI), `x-api-key` (Anthropic), `api-key`
/// (Azure) and `x-goog-api-key` (Google).
static CREDENTIAL_HEADERS: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
];

/// The headers that belong to an API key. Upstreams reject them with another key.
static KEY_SCOPE_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("openai-organization"), HeaderName::from_static("openai-project")];

/// The query parameter with the API key of Google's APIs.
const KEY_PARAMETER: &str = "key";

/// Returns the tokens that a client sent as API keys.
pub(super) fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    CREDENTIAL_HEADERS.iter().flat_map(|name| headers.get_all(name)).map(|value| {
        let value = value.as_bytes();
        match value.split_at_checked(7) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.trim_ascii(),
            _ => value,
        }
    })
}

/// Removes the client's credentials from the headers and the query.
pub(super) fn remove_credentials(headers: &mut HeaderMap, uri: &mut Uri) {
    for name in CREDENTIAL_HEADERS.iter().chain(&KEY_SCOPE_HEADERS).chain([&COOKIE]) {
        headers.remove(name);
    }
    if uri.query().is_some_and(|query| query.split('&').any(is_api_key)) {
        let rest: Vec<_> = uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|parameter| !is_api_key(parameter))
            .collect();
        let question_mark = if rest.is_empty() { "" } else { "?" };
        let target: Result<PathAndQuery, _> =
            format!("{}{question_mark}{}", uri.path(), rest.join("&")).parse();
        let mut parts = uri.clone().into_parts();
        // A valid target without some parameters is still valid, so `/` is never used.
        parts.path_and_query = target.ok().or(Some(PathAndQuery::from_static("/")));
        *uri = Uri::from_parts(parts).unwrap_or_default();
    }
}

fn is_api_key(parameter: &str) -> bool {
    parameter.split('=').next() == Some(KEY_PARAMETER)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn remove_credentials_removes_all_tokens() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "bearer  one"),
            ("x-api-key", "two"),
            ("api-key", "three"),
            ("x-goog-api-key", "four"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        assert_eq!(
            tokens(&headers).collect::<Vec<_>>(),
            [b"one".as_slice(), b"two", b"three", b"four"]
        );
        headers.insert("cookie", HeaderValue::from_static("a=b"));
        headers.insert("openai-project", HeaderValue::from_static("p"));
        headers.insert("accept", HeaderValue::from_static("*/*"));
        let mut uri = "http://host/a/b?key=five&alt=sse&keys=6".parse().unwrap();
        remove_credentials(&mut headers, &mut uri);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["accept"]);
        assert_eq!(uri, "http://host/a/b?alt=sse&keys=6");
        let mut uri = "/a?key=five".parse().unwrap();
        remove_credentials(&mut headers, &mut uri);
        assert_eq!(uri, "/a");
    }
}
