// Streams that cannot be opened are tried again, and streams that have ended for good are let go.
// Reconnecting after a break is the work of hx-sse itself.
const CONNECT = "hx-sse:connect"
const LONGEST_PAUSE = 15_000
const GONE = [401, 403, 404, 410]

const opens = (context) => context?.sourceElement?.hasAttribute(CONNECT)

function tryAgain(element) {
  const pause = Math.min(Number(element.dataset.pause ?? 500), LONGEST_PAUSE)
  element.dataset.pause = String(pause * 2)
  setTimeout(() => {
    if (element.isConnected) htmx.ajax("GET", element.getAttribute(CONNECT), { source: element })
  }, pause)
}

// An error page must not be put where the stream's words belong.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail
  if (!opens(ctx) || ctx.response?.raw?.ok !== false) return
  event.preventDefault()
  if (!GONE.includes(ctx.response.raw.status)) tryAgain(ctx.sourceElement)
})

document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail
  if (opens(ctx) && !ctx.response) tryAgain(ctx.sourceElement)
})

document.addEventListener("htmx:sse:after:connection", (event) => {
  delete event.target.dataset.pause
  // No content instead of a stream: one has to sign in again, and the page knows where to go.
  if (event.detail.connection.status === 204) location.reload()
})

document.addEventListener("htmx:sse:error", (event) => {
  if (GONE.includes(event.detail.status)) event.target.dataset.gone = ""
})

document.addEventListener("htmx:sse:before:connection", (event) => {
  if ("gone" in event.target.dataset) event.preventDefault()
})
