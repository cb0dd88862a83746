//! The credentials of a request.

use std::borrow::Cow;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Uri,
    header::{AUTHORIZATION, COOKIE},
};

use super::query;

/// The headers with the API key: `authorization` (OpenAI), `x-api-key` (Anthropic), `api-key`
/// (Azure) and `x-goog-api-key` (Google).
pub(super) static CREDENTIAL_HEADERS: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
];

/// The headers that belong to an API key. Upstreams reject them with another key.
static KEY_SCOPE_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("openai-organization"), HeaderName::from_static("openai-project")];

/// The query parameter with the API key of Google's APIs.
pub(super) const KEY_PARAMETER: &str = "key";

/// Decodes HTTP Basic without or with padding, because a token must not be missed.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A credential, in each form in which its text may be a token.
pub(super) struct Credential<'a> {
    pub(super) forms: Vec<Cow<'a, [u8]>>,
    /// Whether the credential is HTTP Basic, which browsers send without the page's knowledge.
    pub(super) is_basic: bool,
}

impl<'a> Credential<'a> {
    /// Splits the value of a header: the whole value, the part after the scheme, and the user and
    /// the password of HTTP Basic.
    pub(super) fn from_header(value: &'a HeaderValue) -> Self {
        let value = value.as_bytes().trim_ascii();
        let mut credential = Self { forms: vec![value.into()], is_basic: false };
        let Some(space) = value.iter().position(u8::is_ascii_whitespace) else { return credential };
        let (scheme, rest) = (&value[..space], value[space..].trim_ascii());
        credential.forms.push(rest.into());
        if scheme.eq_ignore_ascii_case(b"basic") {
            credential.is_basic = true;
            let decoded = BASE64.decode(rest).unwrap_or_default();
            let mut parts = decoded.splitn(2, |&byte| byte == b':').map(<[u8]>::to_vec);
            credential.forms.extend(parts.next().map(Cow::from));
            credential.forms.extend(parts.next().map(Cow::from));
        }
        credential
    }

    fn from_parameter(value: Cow<'a, str>) -> Self {
        let value = match value {
            Cow::Borrowed(value) => value.as_bytes().into(),
            Cow::Owned(value) => value.into_bytes().into(),
        };
        Self { forms: vec![value], is_basic: false }
    }
}

/// Returns the credentials of the request, in the order of [`CREDENTIAL_HEADERS`], and then those
/// of the query.
pub(super) fn presented<'a>(
    headers: &'a HeaderMap,
    uri: &'a Uri,
) -> impl Iterator<Item = Credential<'a>> {
    let parameters = key_parameters(uri).map(Credential::from_parameter);
    CREDENTIAL_HEADERS
        .iter()
        .flat_map(|name| headers.get_all(name))
        .map(Credential::from_header)
        .chain(parameters)
}

/// Returns the values by which an upstream distinguishes its clients: the credentials and the cookies.
pub(crate) fn credential_values<'a>(
    headers: &'a HeaderMap,
    uri: &'a Uri,
) -> impl Iterator<Item = Cow<'a, [u8]>> {
    let names = CREDENTIAL_HEADERS.iter().chain([&COOKIE]);
    let values = names.flat_map(|name| headers.get_all(name)).map(HeaderValue::as_bytes);
    let parameters = key_parameters(uri).map(|value| Cow::Owned(value.into_owned().into_bytes()));
    values.map(Cow::Borrowed).chain(parameters)
}

fn key_parameters(uri: &Uri) -> impl Iterator<Item = Cow<'_, str>> {
    let parameters = query::parameters(uri, KEY_PARAMETER);
    parameters
        .filter(|(name, value)| name == KEY_PARAMETER && !value.is_empty())
        .map(|(_, value)| value)
}

/// Removes the client's credentials from the headers and the query.
pub(crate) fn remove_credentials<B>(request: &mut Request<B>) {
    let headers = request.headers_mut();
    for name in CREDENTIAL_HEADERS.iter().chain(&KEY_SCOPE_HEADERS).chain([&COOKIE]) {
        headers.remove(name);
    }
    query::remove_parameters(request.uri_mut(), |name, _| name == KEY_PARAMETER);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presented_lists_forms_of_all_credentials() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-goog-api-key", "four"),
            ("authorization", "bearer  one"),
            ("authorization", "Basic dXNlcjpwYXNzOndvcmQ="),
            ("authorization", "Basic %"),
            ("authorization", "basic\tYTpiYg"),
            ("x-api-key", "two"),
            ("cookie", "a=b"),
            ("api-key", "three"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let uri = "/a?key=fi%76e&k=6&key=".parse().unwrap();
        let forms: Vec<Vec<_>> = presented(&headers, &uri)
            .map(|credential| {
                let forms = credential.forms.iter();
                forms.map(|form| String::from_utf8_lossy(form).into_owned()).collect()
            })
            .collect();
        let basic = "dXNlcjpwYXNzOndvcmQ=";
        let with_scheme = format!("Basic {basic}");
        assert_eq!(
            forms,
            [
                &["bearer  one", "one"][..],
                &[&with_scheme, basic, "user", "pass:word"],
                &["Basic %", "%", ""],
                &["basic\tYTpiYg", "YTpiYg", "a", "bb"],
                &["two"],
                &["three"],
                &["four"],
                &["five"],
            ]
        );
    }

    #[test]
    fn remove_credentials_removes_all_and_nothing_else() {
        let mut request = Request::get("http://host/a/b?key=five&alt=sse").body(()).unwrap();
        for name in CREDENTIAL_HEADERS.iter().chain(&KEY_SCOPE_HEADERS).chain([&COOKIE]) {
            request.headers_mut().insert(name, HeaderValue::from_static("a"));
        }
        request.headers_mut().insert("accept", HeaderValue::from_static("*/*"));
        remove_credentials(&mut request);
        assert_eq!(request.headers().keys().collect::<Vec<_>>(), ["accept"]);
        assert_eq!(request.uri(), "http://host/a/b?alt=sse");
    }
}
