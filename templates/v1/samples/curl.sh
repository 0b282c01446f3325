curl http://127.0.0.1:8000/v1/chat/completions \
  -H "Authorization: Bearer $PARLEY_KEY" \
  -H "Content-Type: application/json" \
  -d '{"model": "echo/echo", "messages": [{"role": "user", "content": "Good morning"}]}'
