//! The CRI, as far as the kubelet uses it to look for images.
//!
//! The messages are those of `runtime.v1`, of which only the fields that are
//! needed are written down; protobuf ignores the others.

use std::path::{Path, PathBuf};
use std::time::Duration;

use prost::Message;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Endpoint;
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

/// An image as the CRI reports it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CriImage {
    /// The digest of its config.
    #[prost(string, tag = "1")]
    pub id: String,
    /// Its names with a tag.
    #[prost(string, repeated, tag = "2")]
    pub repo_tags: Vec<String>,
    /// Its names with a digest.
    #[prost(string, repeated, tag = "3")]
    pub repo_digests: Vec<String>,
    /// Its size in bytes.
    #[prost(uint64, tag = "4")]
    pub size: u64,
    /// Whether the kubelet is told never to remove it.
    #[prost(bool, tag = "8")]
    pub pinned: bool,
}

#[derive(Clone, PartialEq, Message)]
struct ImageSpec {
    #[prost(string, tag = "1")]
    image: String,
}

#[derive(Clone, PartialEq, Message)]
struct ImageStatusRequest {
    #[prost(message, optional, tag = "1")]
    image: Option<ImageSpec>,
}

#[derive(Clone, PartialEq, Message)]
struct ImageStatusResponse {
    #[prost(message, optional, tag = "1")]
    image: Option<CriImage>,
}

#[derive(Clone, PartialEq, Message)]
struct PullImageRequest {
    #[prost(message, optional, tag = "1")]
    image: Option<ImageSpec>,
}

#[derive(Clone, PartialEq, Message)]
struct PullImageResponse {}

#[derive(Clone, PartialEq, Message)]
struct ListImagesRequest {}

#[derive(Clone, PartialEq, Message)]
struct ListImagesResponse {
    #[prost(message, repeated, tag = "1")]
    images: Vec<CriImage>,
}

fn spec(reference: &str) -> ImageSpec {
    ImageSpec {
        image: reference.to_owned(),
    }
}

/// A client for the socket of a container runtime.
#[derive(Debug)]
pub(crate) struct Cri {
    socket: PathBuf,
}

impl Cri {
    pub fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
        }
    }

    /// What the kubelet asks before it pulls: is this image here?
    pub fn image_status(&self, reference: &str) -> Result<Option<CriImage>, Status> {
        let image = Some(spec(reference));
        let answer: ImageStatusResponse = self.call("ImageStatus", ImageStatusRequest { image })?;
        Ok(answer.image)
    }

    /// Pulls an image.
    pub fn pull_image(&self, reference: &str) -> Result<(), Status> {
        let image = Some(spec(reference));
        let PullImageResponse {} = self.call("PullImage", PullImageRequest { image })?;
        Ok(())
    }

    /// All images.
    pub fn list_images(&self) -> Result<Vec<CriImage>, Status> {
        let answer: ListImagesResponse = self.call("ListImages", ListImagesRequest {})?;
        Ok(answer.images)
    }

    /// One call on a connection of its own: tests ask seldom.
    fn call<Q, A>(&self, method: &str, question: Q) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let uri = format!("unix://{}", self.socket.display());
        let path = format!("/runtime.v1.ImageService/{method}");
        let path = PathAndQuery::try_from(path).expect("a method's name makes a path");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be built");
        runtime.block_on(async {
            let gone = |error: tonic::transport::Error| Status::unavailable(error.to_string());
            let endpoint = Endpoint::from_shared(uri).map_err(gone)?;
            let channel = endpoint
                .timeout(Duration::from_secs(30))
                .connect()
                .await
                .map_err(gone)?;
            let mut client = Grpc::new(channel);
            client.ready().await.map_err(gone)?;
            let codec = ProstCodec::<Q, A>::default();
            Ok(client
                .unary(Request::new(question), path, codec)
                .await?
                .into_inner())
        })
    }
}
