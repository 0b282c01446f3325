// What is in the box is kept in this browser, for each conversation, until it was sent: through reloads and log-outs.
const PREFIX = "draft:"

const keyOf = (form) => PREFIX + form.dataset.draft

function restore(form) {
  const draft = localStorage.getItem(keyOf(form))
  const box = form.elements.body
  if (!draft || box.value) return
  box.value = draft
  box.dispatchEvent(new Event("input", { bubbles: true }))
}

function keep(form, text) {
  try {
    localStorage.setItem(keyOf(form), text)
  } catch (error) {
    // Browsers keep a few megabytes. What is longer stays in the box, and is not kept beyond the page.
    if (error.name !== "QuotaExceededError") throw error
  }
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("[data-composer]")
  if (!form || event.target.name !== "body") return
  if (event.target.value) keep(form, event.target.value)
  else localStorage.removeItem(keyOf(form))
})

document.querySelectorAll("[data-composer]").forEach(restore)
