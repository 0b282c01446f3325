export ANTHROPIC_BASE_URL=http://127.0.0.1:8000
export ANTHROPIC_AUTH_TOKEN="$PARLEY_KEY"
export ANTHROPIC_MODEL=echo/echo
export ANTHROPIC_DEFAULT_HAIKU_MODEL=echo/echo
export ANTHROPIC_CUSTOM_HEADERS="x-parley-drop-unsupported: true"
claude
