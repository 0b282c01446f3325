// A message is on the page once, and in its place. It may arrive twice: as the answer to sending it, and as news from
// the server; and what two tabs say at once may arrive here in another order than it has in the conversation.
const placeOf = (article) => Number(article.dataset.place)

function withoutTwins(task) {
  for (const article of task.fragment.querySelectorAll("article[id]")) {
    const twin = document.getElementById(article.id)
    if (!twin || task.target === twin || task.swapSpec.style === "innerHTML") continue
    // The one on the page may be streaming already; the newcomer has nothing that it has not.
    article.remove()
  }
}

function inPlace(task) {
  if (task.target?.id !== "thread" || task.swapSpec.style !== "beforeend") return
  for (const article of task.fragment.querySelectorAll("article[data-place]")) {
    const later = [...task.target.querySelectorAll("article[data-place]")].find((one) => placeOf(one) > placeOf(article))
    if (!later) continue
    later.before(article)
    htmx.process(article)
  }
}

document.addEventListener("htmx:before:swap", (event) => {
  event.detail.tasks.forEach(withoutTwins)
  event.detail.tasks.forEach(inPlace)
})
