import { Component } from 'react'

import { ProblemNotice } from './ProblemNotice.jsx'

/** An error while drawing what is inside takes only that away, and is told. React asks for a class here. */
export class ErrorBoundary extends Component {
  state = { error: null }

  static getDerivedStateFromError(error) {
    return { error }
  }

  render() {
    const { error } = this.state
    if (!error) return this.props.children
    const problem = { title: 'This view cannot be drawn', detail: error.message }
    return <ProblemNotice problem={problem} onRetry={() => this.setState({ error: null })} />
  }
}
