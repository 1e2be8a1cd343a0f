//! Keys of providers of language models and of what is used with them.

use super::super::token::{LONG, Token, token};
use super::{alnum, hex, url, uuid, word};

pub(super) const TOKENS: &[Token] = &[
    token("OpenAI", "T3BlbkFJ", url, (20, 200))
        .after(url, 20, 200)
        .only_if(|key| key.starts_with(b"sk-"))
        .from("OpenAI, API reference, 'Authentication'"),
    token("OpenAI-compatible", "sk-", url, (32, 255))
        .only_if(|key| is_key(key, 20))
        .from("DeepSeek, Moonshot, LiteLLM: API references"),
    token("Anthropic", "sk-ant-", url, (32, 255)).from("Anthropic, API overview, 'Authentication'"),
    token("OpenRouter", "sk-or-v1-", hex, (64, 64))
        .from("OpenRouter, API reference, 'Authentication'"),
    token("Langfuse", "sk-lf-", uuid, (36, 36)).from("Langfuse, documentation, 'API keys'"),
    token("Hugging Face", "hf_", alnum, (30, 64))
        .from("Hugging Face, Hub documentation, 'User access tokens'"),
    token("Hugging Face organisation", "api_org_", alnum, (34, 34))
        .from("Hugging Face, Hub documentation, 'User access tokens'"),
    token("xAI", "xai-", alnum, (64, 128)).from("xAI, API documentation, 'API keys'"),
    token("Perplexity", "pplx-", alnum, (40, 64))
        .from("Perplexity, API documentation, 'Initial setup'"),
    token("Groq", "gsk_", alnum, (48, 64)).from("Groq, API documentation, 'Quickstart'"),
    token("Replicate", "r8_", alnum, (37, 40)).from("Replicate, documentation, 'API tokens'"),
    token("NVIDIA", "nvapi-", url, (56, 80)).from("NVIDIA, NIM documentation, 'API key'"),
    token("LangSmith", "lsv2_", word, (40, 64))
        .from("LangSmith, documentation, 'Create an account and API key'"),
    token("Tavily", "tvly-", url, (24, 80)).from("Tavily, API reference, 'Authentication'"),
    token("Pinecone", "pcsk_", word, (48, 96)).from("Pinecone, documentation, 'Manage API keys'"),
    token("Together", "tgp_v1_", url, (32, 64)).from("Together AI, documentation, 'API keys'"),
    token("Cerebras", "csk-", alnum, (48, 52))
        .from("Cerebras, inference documentation, 'Quickstart'"),
    token("LlamaCloud", "llx-", alnum, (40, LONG))
        .from("LlamaIndex, LlamaCloud documentation, 'API key'"),
];

/// Whether it has at least three digits, and `least` letters and digits without a separator between them: names of classes
/// and packages are words with hyphens.
fn is_key(key: &[u8], least: usize) -> bool {
    let digits = || key.iter().filter(|byte| byte.is_ascii_digit()).count();
    has_run(key, least) && digits() >= 3
}

/// Most places are passed over: a run that begins there would end before its last separator.
fn has_run(key: &[u8], least: usize) -> bool {
    let mut at = 0;
    while let Some(part) = key.get(at..at + least) {
        let separator = part.iter().rposition(|byte| !byte.is_ascii_alphanumeric());
        let Some(separator) = separator else {
            return true;
        };
        at += separator + 1;
    }
    false
}
