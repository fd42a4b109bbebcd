//! Texts for people, in both languages of the pages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reader::Reader;
use super::rules;
use super::spanned::{Key, Spanned};
use crate::diagnostic::{Diagnostic, Span};
use crate::kubernetes::Supported;
use crate::text::has_han;

/// A text in both languages of the pages, on one line each.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    title = "text",
    rename = "Text",
    extend("$comment" = "A text in both languages of the pages, on one line each.")
)]
pub struct RawText {
    /// English.
    #[schemars(required)]
    pub en: Key<String>,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    #[schemars(required)]
    pub zh_cn: Key<String>,
}

/// A text in both languages, without line breaks or control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Text {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh_cn: String,
}

impl Reader {
    /// A text in both languages. No rule over the table asks what a text says, so one that is
    /// refused is blank.
    pub(super) fn text(&mut self, key: &Key<RawText>, name: &str, owner: &Span) -> Text {
        let text = self.title(key, name, owner);
        let written = key.as_ref().and_then(|key| key.get_ref().zh_cn.as_ref());
        if let Some(written) = written
            && !text.zh_cn.is_empty()
            && !has_han(&text.zh_cn)
        {
            self.other_language(written, "Chinese", "no Chinese character");
        }
        text
    }

    /// A name in both languages, which may be the same in both.
    pub(super) fn title(&mut self, key: &Key<RawText>, name: &str, owner: &Span) -> Text {
        let example = "{ en = \"...\", zh-CN = \"...\" }";
        let Some(text) = self.require(key, name, owner, example) else {
            return Text::default();
        };
        let span = text.span();
        let mut language = |text: &Key<String>, tag: &str, called: &str| match text {
            Some(text) if !text.get_ref().trim().is_empty() => {
                // A blank at its start would begin a block of code in Markdown.
                self.plain(text).trim().to_owned()
            }
            missing => {
                let place = missing.as_ref().map_or(span.clone(), |text| text.span());
                self.report(
                    &rules::MISSING_TRANSLATION,
                    place,
                    format!("`{name}` has no {called} text"),
                    "every text is written in both languages",
                    format!("add `{name}.{tag} = \"...\"`"),
                );
                String::new()
            }
        };
        let (en, zh_cn) = (&text.get_ref().en, &text.get_ref().zh_cn);
        let text = Text {
            en: language(en, "en", "English"),
            zh_cn: language(zh_cn, "zh-CN", "Chinese"),
        };
        if let Some(written) = en
            && has_han(&text.en)
        {
            self.other_language(written, "English", "a Chinese character");
        }
        text
    }

    fn other_language(&mut self, text: &Spanned<String>, wanted: &str, has: &str) {
        let minors = self.supported.iter().flat_map(Supported::minors).collect();
        self.found.push(
            Diagnostic::new(
                &rules::OTHER_LANGUAGE,
                text.span(),
                format!("the {wanted} text has {has}"),
                "this text",
                "translate it",
            )
            .about(text.get_ref(), minors),
        );
    }
}
