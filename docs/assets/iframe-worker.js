// Search runs in a Worker, which browsers refuse to pages opened from a disk (file://).
// There, this stand-in runs the same script in a hidden iframe.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.appendChild(frame)
      this.inside = frame.contentWindow
      this.ready = new Promise((resolve) => (frame.onload = resolve))
      this.frame = frame
      window.addEventListener("message", (event) => {
        if (event.source !== this.inside) return
        const message = new MessageEvent("message", { data: event.data })
        this.dispatchEvent(message)
        if (this.onmessage) this.onmessage(message)
      })
      const page = this.inside.document
      page.open()
      page.write(
        "<body><script>" +
          "var postMessage = (data) => parent.postMessage(data, '*');" +
          "var importScripts = (...urls) => urls.reduce((done, url) => done.then(() => new Promise((loaded) => {" +
          "const script = document.createElement('script'); script.src = url; script.onload = loaded;" +
          "document.body.appendChild(script) })), Promise.resolve())" +
          "<\/script><script src=\"" + url + "\"><\/script></body>"
      )
      page.close()
    }

    postMessage(data) {
      this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })))
    }

    terminate() {
      this.frame.remove()
    }
  }
}
