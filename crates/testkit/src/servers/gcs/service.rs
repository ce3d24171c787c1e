//! Requests and their answers.

use super::Gcs;
use super::buckets::{Bucket, Buckets, Object, Refusal};
use super::conditions::{Expected, check_read, range};
use super::listing::Query;
use super::xml;
use axum::body::{Body, to_bytes};
use axum::extract::{Query as Parameters, Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED,
};
use axum::http::response::Builder;
use axum::http::{HeaderMap, HeaderName, Method, Response, StatusCode};
use axum::{Router, http};
use bytes::Bytes;
use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::Arc;

type Answer = Response<Body>;

const BAD_REQUEST: Refusal = (StatusCode::BAD_REQUEST, "InvalidArgument");
const NOT_ALLOWED: Refusal = (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed");
const COPY_SOURCE: HeaderName = HeaderName::from_static("x-goog-copy-source");

/// Serves until it is dropped.
pub(super) async fn serve(listener: TcpListener, buckets: Arc<Buckets>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("it is a listener that does not block");
    let service = Router::new().fallback(answer).with_state(buckets);
    axum::serve(listener, service).await.expect("it serves for ever");
}

async fn answer(State(buckets): State<Arc<Buckets>>, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let answered = match to_bytes(body, usize::MAX).await {
        Ok(body) => Asked::of(head, body).and_then(|asked| asked.answer(&buckets)),
        Err(_) => Err(BAD_REQUEST),
    };
    answered.unwrap_or_else(refuse)
}

/// A request that has been read.
struct Asked {
    method: Method,
    bucket: String,
    key: String,
    parameters: HashMap<String, String>,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    fn of(head: http::request::Parts, body: Bytes) -> Result<Self, Refusal> {
        let token =
            head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if token != Some(Gcs::TOKEN) {
            return Err((StatusCode::UNAUTHORIZED, "AuthenticationRequired"));
        }
        let Parameters(parameters) = Parameters::try_from_uri(&head.uri).map_err(|_| BAD_REQUEST)?;
        let (bucket, key) = place(head.uri.path().trim_start_matches('/')).ok_or(BAD_REQUEST)?;
        Ok(Asked { method: head.method, bucket, key, parameters, headers: head.headers, body })
    }

    fn answer(self, buckets: &Buckets) -> Result<Answer, Refusal> {
        let upload = self.parameters.get("uploadId").map(String::as_str);
        match (&self.method, &*self.key, upload) {
            (&Method::PUT, "", None) => {
                buckets.make(&self.bucket);
                Ok(empty(StatusCode::OK))
            }
            (&Method::GET, "", None) => {
                let page = |bucket: &mut Bucket| Query::of(&self.parameters).page(bucket);
                buckets.with(&self.bucket, |bucket, _| Ok(page(bucket))).map(of_xml)
            }
            (_, "", _) => Err(NOT_ALLOWED),
            (&Method::GET | &Method::HEAD, _, None) => self.read(buckets),
            (&Method::PUT, key, Some(id)) => {
                let number = self.parameters.get("partNumber").and_then(|number| number.parse().ok());
                let number = number.filter(|number| (1..=10_000).contains(number)).ok_or(BAD_REQUEST)?;
                let put = |bucket: &mut Bucket| bucket.put_part(id, key, number, self.body.clone());
                let tag = buckets.with(&self.bucket, |bucket, _| put(bucket))?;
                Ok(finish(Response::builder().header(ETAG, tag), Body::empty()))
            }
            (&Method::PUT, _, None) => match self.headers.get(COPY_SOURCE) {
                Some(source) => self.copy(source.to_str().map_err(|_| BAD_REQUEST)?, buckets),
                None => self.write(buckets),
            },
            (&Method::POST, key, None) if self.parameters.contains_key("uploads") => {
                let id = buckets.with(&self.bucket, |bucket, number| {
                    let id = format!("upload-{}", number());
                    bucket.begin_upload(&id, key, attributes(&self.headers));
                    Ok(id)
                })?;
                let mut answer = xml::Answer::new("InitiateMultipartUploadResult");
                answer.text("UploadId", &id);
                Ok(of_xml(answer.end()))
            }
            (&Method::POST, key, Some(id)) => self.complete(key, id, buckets),
            (&Method::DELETE, key, Some(id)) => {
                buckets.with(&self.bucket, |bucket, _| bucket.abort_upload(id, key))?;
                Ok(empty(StatusCode::NO_CONTENT))
            }
            (&Method::DELETE, key, None) => {
                let expected = Expected::of(&self.headers)?;
                buckets.with(&self.bucket, |bucket, _| bucket.delete(key, &expected))?;
                Ok(empty(StatusCode::NO_CONTENT))
            }
            _ => Err(NOT_ALLOWED),
        }
    }

    fn read(&self, buckets: &Buckets) -> Result<Answer, Refusal> {
        let object = buckets.with(&self.bucket, |bucket, _| bucket.get(&self.key).cloned())?;
        let generation = self.parameters.get("generation").map(String::as_str);
        check_read(&object, generation, &self.headers)?;

        let length = object.content.len();
        let mut answer = described(&object);
        let content = match range(&self.headers, length)? {
            None => object.content,
            Some(range) => {
                let told = format!("bytes {}-{}/{length}", range.start, range.end - 1);
                answer = answer.status(StatusCode::PARTIAL_CONTENT).header(CONTENT_RANGE, told);
                object.content.slice(range)
            }
        };
        // Also for HEAD, which gets all but the content.
        Ok(finish(answer.header(CONTENT_LENGTH, content.len()), Body::from(content)))
    }

    fn write(&self, buckets: &Buckets) -> Result<Answer, Refusal> {
        let expected = Expected::of(&self.headers)?;
        buckets.with(&self.bucket, |bucket, number| {
            let attributes = attributes(&self.headers);
            let object = bucket.put(&self.key, &expected, number(), self.body.clone(), attributes)?;
            Ok(finish(written(object), Body::empty()))
        })
    }

    /// Writes what is in another place, which is named as in a path.
    fn copy(&self, source: &str, buckets: &Buckets) -> Result<Answer, Refusal> {
        let (bucket, key) = place(source.trim_start_matches('/')).ok_or(BAD_REQUEST)?;
        let source = buckets.with(&bucket, |bucket, _| bucket.get(&key).cloned())?;
        let expected = Expected::of(&self.headers)?;
        buckets.with(&self.bucket, |bucket, number| {
            let object = bucket.put(&self.key, &expected, number(), source.content, source.attributes)?;
            let mut answer = xml::Answer::new("CopyObjectResult");
            answer.text("ETag", &object.e_tag);
            answer.text("LastModified", &xml::date(object.modified));
            Ok(finish(written(object), Body::from(answer.end())))
        })
    }

    fn complete(&self, key: &str, id: &str, buckets: &Buckets) -> Result<Answer, Refusal> {
        let parts = std::str::from_utf8(&self.body).ok().and_then(xml::parts);
        let parts = parts.ok_or((StatusCode::BAD_REQUEST, "MalformedCompleteMultipartUploadRequest"))?;
        let expected = Expected::of(&self.headers)?;
        buckets.with(&self.bucket, |bucket, number| {
            let object = bucket.complete_upload(id, key, &expected, number(), &parts)?;
            let mut answer = xml::Answer::new("CompleteMultipartUploadResult");
            answer.text("Bucket", &self.bucket);
            answer.text("Key", key);
            answer.text("ETag", &object.e_tag);
            Ok(finish(written(object), Body::from(answer.end())))
        })
    }
}

/// The bucket and the key of a path, which is encoded.
fn place(path: &str) -> Option<(String, String)> {
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let decoded = |text| percent_encoding::percent_decode_str(text).decode_utf8().ok().map(String::from);
    let (bucket, key) = (decoded(bucket)?, decoded(key)?);
    (!bucket.is_empty()).then_some((bucket, key))
}

/// The headers that are kept with an object.
fn attributes(headers: &HeaderMap) -> HeaderMap {
    let fixed = [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_DISPOSITION, CACHE_CONTROL];
    let of_google = |name: &str| name == "x-goog-storage-class" || name.starts_with("x-goog-meta-");
    let kept = headers.iter().filter(|(name, _)| fixed.contains(name) || of_google(name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What is told of an object that was written.
fn written(object: &Object) -> Builder {
    let answer = Response::builder().header(ETAG, &object.e_tag);
    answer.header("x-goog-generation", object.generation).header("x-goog-metageneration", 1)
}

/// What is told of an object that is read.
fn described(object: &Object) -> Builder {
    let mut answer = written(object).header(LAST_MODIFIED, httpdate::fmt_http_date(object.modified));
    if let Some(headers) = answer.headers_mut() {
        headers.extend(object.attributes.clone());
    }
    answer
}

fn of_xml(text: String) -> Answer {
    finish(Response::builder().header(CONTENT_TYPE, "application/xml; charset=UTF-8"), Body::from(text))
}

fn empty(status: StatusCode) -> Answer {
    finish(Response::builder().status(status), Body::empty())
}

fn refuse((status, code): Refusal) -> Answer {
    let mut answer = xml::Answer::new("Error");
    answer.text("Code", code);
    let body = if status == StatusCode::NOT_MODIFIED { String::new() } else { answer.end() };
    finish(Response::builder().status(status), Body::from(body))
}

fn finish(answer: Builder, body: Body) -> Answer {
    answer.body(body).expect("its headers are made of dates, numbers and what came in headers")
}
