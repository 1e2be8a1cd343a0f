//! Keys of providers of language models and of what is used with them.

use super::super::token::{LONG, Token, token};
use super::{alnum, hex, url, uuid, word};

pub(super) const TOKENS: &[Token] = &[
    // OpenAI, API reference, "Authentication": project, service account, admin and older keys have this piece in the middle.
    token("OpenAI", "T3BlbkFJ", url, (20, 200))
        .after(url, 20, 200)
        .only_if(|key| key.starts_with(b"sk-")),
    // Servers and clones of OpenAI's interface (DeepSeek, Moonshot, LiteLLM in their API references).
    token("OpenAI-compatible", "sk-", url, (32, 255)).only_if(|key| is_key(key, 20)),
    // Anthropic, API overview, "Authentication"; also admin keys and OAuth tokens.
    token("Anthropic", "sk-ant-", url, (32, 255)),
    // OpenRouter, API reference, "Authentication".
    token("OpenRouter", "sk-or-v1-", hex, (64, 64)),
    // Langfuse, documentation, "API keys".
    token("Langfuse", "sk-lf-", uuid, (36, 36)),
    // Hugging Face, Hub documentation, "User access tokens".
    token("Hugging Face", "hf_", alnum, (30, 64)),
    token("Hugging Face organisation", "api_org_", alnum, (34, 34)),
    // xAI, API documentation, "API keys".
    token("xAI", "xai-", alnum, (64, 128)),
    // Perplexity, API documentation, "Initial setup".
    token("Perplexity", "pplx-", alnum, (40, 64)),
    // Groq, API documentation, "Quickstart".
    token("Groq", "gsk_", alnum, (48, 64)),
    // Replicate, documentation, "API tokens".
    token("Replicate", "r8_", alnum, (37, 40)),
    // NVIDIA, NIM documentation, "API key".
    token("NVIDIA", "nvapi-", url, (56, 80)),
    // LangSmith, documentation, "Create an account and API key".
    token("LangSmith", "lsv2_", word, (40, 64)),
    // Tavily, API reference, "Authentication".
    token("Tavily", "tvly-", url, (24, 80)),
    // Pinecone, documentation, "Manage API keys".
    token("Pinecone", "pcsk_", word, (48, 96)),
    // Together AI, documentation, "API keys".
    token("Together", "tgp_v1_", url, (32, 64)),
    // Cerebras, inference documentation, "Quickstart".
    token("Cerebras", "csk-", alnum, (48, 52)),
    // LlamaIndex, LlamaCloud documentation, "API key".
    token("LlamaCloud", "llx-", alnum, (40, LONG)),
];

/// Whether it has at least three digits, and `least` letters and digits without a separator between them: names of classes
/// and packages are words with hyphens.
fn is_key(key: &[u8], least: usize) -> bool {
    let digits = key.iter().filter(|byte| byte.is_ascii_digit()).count();
    let longest = key
        .split(|byte| !byte.is_ascii_alphanumeric())
        .map(<[u8]>::len)
        .max();
    digits >= 3 && longest.is_some_and(|longest| longest >= least)
}
