const response = await fetch("http://127.0.0.1:8000/v1/chat/completions", {
  method: "POST",
  headers: { "content-type": "application/json", authorization: `Bearer ${process.env.PARLEY_KEY}` },
  body: JSON.stringify({
    model: "echo/echo",
    messages: [{ role: "user", content: "Good morning" }],
  }),
})
const answer = await response.json()
if (!response.ok) throw new Error(answer.error.message)
console.log(answer.choices[0].message.content)
