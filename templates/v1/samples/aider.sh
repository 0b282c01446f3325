export OPENAI_API_BASE=http://127.0.0.1:8000/v1
export OPENAI_API_KEY="$PARLEY_KEY"
aider --model openai/echo/echo
